import type { CallFigures as RtpFigures } from '../../caller/call.ts'
import { Spread, type SpreadFigures } from '../../caller/spread.ts'
import { limits } from '../../limits.ts'
import { type Answer, agentSpoke, answersTo } from './answers.ts'
import { type Happening, wordsOf } from './conversation.ts'
import type { Told } from './gateway-record.ts'

/** What a call came to, as the caller saw and heard it. */
export interface CallFigures {
  readonly answered: boolean
  /** Whether the agent was; where nobody can be asked, whether anything was. */
  readonly heard: boolean
  /** Whether the gateway's record was there to ask whose each sound was. */
  readonly checked: boolean
  /** From the INVITE to its answer. */
  readonly answerMs: number | undefined
  /** From the answer to the first sound. */
  readonly firstSoundMs: number | undefined
  readonly turns: readonly TurnFigures[]
  /** RFC 3550, of what was heard. */
  readonly jitterMs: number
  readonly packets: number
  readonly lost: number
  readonly lossPercent: number
}

interface TurnFigures {
  readonly said: string
  readonly answer: Answer
  /** From the end of the caller's speech to the agent's first sound; undefined when that was no answer. */
  readonly latencyMs: number | undefined
  /** To a sound that was no answer. */
  readonly soundMs?: number
  /** Of an interruption: from the caller's first sound to the agent's last. */
  readonly silentAfterMs?: number | undefined
}

export function figuresOf(happenings: readonly Happening[], rtp: RtpFigures | undefined, told: Told): CallFigures {
  const { knowledge, facts } = told
  const answer = happenings.find(each => each.kind === 'answered')
  const firstSound = happenings.find(each => each.kind === 'agentBegan')
  const { packets = 0, lost = 0, jitterMs = 0 } = rtp?.received ?? {}
  return {
    answered: answer !== undefined,
    heard: firstSound !== undefined && (knowledge === 'unchecked' || agentSpoke(facts)),
    checked: knowledge !== 'unchecked',
    answerMs: answer && rounded(answer.setUpMs),
    firstSoundMs: answer && firstSound && rounded(firstSound.atMs - answer.atMs),
    turns: turnsOf(happenings, answersTo(happenings, told)),
    jitterMs: rounded(jitterMs, 10),
    packets,
    lost,
    lossPercent: packets + lost === 0 ? 0 : rounded((100 * lost) / (packets + lost), 100),
  }
}

function turnsOf(happenings: readonly Happening[], answers: readonly Answer[]): TurnFigures[] {
  const turns: { said: string; soundMs: number | undefined; silentAfterMs?: number | undefined }[] = []
  for (const happening of happenings) {
    const turn = turns.at(-1)
    if (happening.kind === 'callerBegan') turns.push({ said: wordsOf(happening.turn), soundMs: undefined })
    else if (!turn) continue
    else if (happening.kind === 'agentBegan') turn.soundMs = happening.afterMs && rounded(happening.afterMs)
    else if (happening.kind === 'agentInterrupted') {
      turn.silentAfterMs = happening.silentAfterMs && rounded(happening.silentAfterMs)
    }
  }
  return turns.map(({ soundMs, ...turn }, index) => {
    const answer = answers[index] ?? 'unanswered'
    if (answer !== 'unanswered') return { ...turn, answer, latencyMs: soundMs }
    return { ...turn, answer, latencyMs: undefined, ...(soundMs !== undefined && { soundMs }) }
  })
}

/** What many calls came to together. */
export interface Summary {
  readonly calls: number
  readonly answered: number
  readonly heard: number
  readonly rows: readonly SummaryRow[]
  /** How many of the calls that came to each turn had which answer to it. */
  readonly turns: readonly Readonly<Record<Answer, number>>[]
}

export interface SummaryRow extends Pick<SpreadFigures, 'count' | 'p50' | 'p95' | 'p99' | 'max'> {
  readonly name: string
  readonly unit: 'ms' | '%'
}

export function summaryOf(calls: readonly CallFigures[]): Summary {
  const answered = calls.filter(call => call.answered)
  const row = (name: string, unit: 'ms' | '%', valuesOf: (call: CallFigures) => (number | undefined)[]): SummaryRow => {
    const values = new Spread(limits.caller.callsAtOnce * limits.caller.turns)
    for (const value of answered.flatMap(valuesOf)) if (value !== undefined) values.add(value)
    const { count, p50, p95, p99, max } = values.figures()
    const cut = (value: number) => rounded(value, 100)
    return { name, unit, count, p50: cut(p50), p95: cut(p95), p99: cut(p99), max: cut(max) }
  }
  return {
    calls: calls.length,
    answered: answered.length,
    heard: calls.filter(call => call.heard).length,
    rows: [
      row('time to answer', 'ms', call => [call.answerMs]),
      row('to first sound', 'ms', call => [call.heard ? call.firstSoundMs : undefined]),
      row('latency of a turn', 'ms', call => call.turns.map(turn => turn.latencyMs)),
      row('falls silent after', 'ms', call => call.turns.map(turn => turn.silentAfterMs)),
      row('jitter', 'ms', call => [call.jitterMs]),
      row('loss', '%', call => [call.lossPercent]),
    ],
    turns: Array.from({ length: Math.max(0, ...answered.map(call => call.turns.length)) }, (_, index) => {
      const count = (answer: Answer) => answered.filter(call => call.turns[index]?.answer === answer).length
      return {
        understood: count('understood'),
        askedBack: count('askedBack'),
        unanswered: count('unanswered'),
        unchecked: count('unchecked'),
      }
    }),
  }
}

function rounded(value: number, parts = 1): number {
  return Math.round(value * parts) / parts
}
