import type { ProviderTurn } from './turn-stamps.ts'
import type { CallerTurn } from './turn-taker.ts'

/** What the turns of a load took, in milliseconds. */
export interface TurnTimes {
  /** From the last packet of an utterance leaving the caller to its sound arriving at the provider. */
  readonly upMs: readonly number[]
  /** From the first sound of the reply leaving the provider to its first packet arriving at the caller. */
  readonly downMs: readonly number[]
  /** Of each turn both together. */
  readonly pathMs: readonly number[]
  /** From the news that a voice has begun leaving the provider to the agent's last packet arriving; 0 when none came after. */
  readonly silencedMs: readonly number[]
  /** From the news of what is committed leaving the provider to the wish for a reply arriving there. */
  readonly askedMs: readonly { readonly voiceMs: number; readonly ms: number }[]
  /** Turns of which one side knows nothing, or not all. */
  readonly unmatched: number
}

/** Both sides' stamps are of one clock. */
export function turnTimes(callers: readonly CallerTurn[], provider: readonly ProviderTurn[]): TurnTimes {
  const byMark = new Map(provider.map(turn => [turn.mark, turn]))
  const [upMs, downMs, pathMs, silencedMs]: [number[], number[], number[], number[]] = [[], [], [], []]
  const askedMs: { voiceMs: number; ms: number }[] = []
  let unmatched = 0
  for (const { mark, voiceMs, sentMs, heardMs, cutMs } of callers) {
    const there = byMark.get(mark)
    const up = (there?.arrivedMs ?? Number.NaN) - sentMs
    const down = heardMs - (there?.soundMs ?? Number.NaN)
    if (!there || Number.isNaN(up + down)) {
      unmatched += 1
      continue
    }
    upMs.push(up)
    downMs.push(down)
    pathMs.push(up + down)
    askedMs.push({ voiceMs, ms: there.createdMs - there.committedMs })
    if (cutMs !== undefined) silencedMs.push(Math.max(0, cutMs - there.startedMs))
  }
  return { upMs, downMs, pathMs, silencedMs, askedMs, unmatched }
}
