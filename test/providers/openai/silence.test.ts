import { describe, expect, it } from 'vitest'
import type { Fault } from '../../../src/fake-openai/faults.ts'
import { phraseHz } from '../../agent/house.ts'
import { seeded } from '../../support/random.ts'
import { type Call, call } from './house.ts'

/** While the agent owes the caller something, no silence is longer than this, whatever happens to the server. */
const MOST_MS = 2_500
const CALLS = 3
const REPLY_MS = 3_000
/** What the double says when it is to go on where it was cut off, and each phrase of our own. */
const REST_MS = 600
const PHRASE_MS = 300

type Plan = readonly Fault[]
const audio = (what: Extract<Fault, { at: 'audio' }>['what'], afterMs: number): Fault => ({
  at: 'audio',
  what,
  afterMs,
})
const down = (status: number, times: number, retryAfter?: string): Fault[] =>
  Array.from({ length: times }, () => ({ at: 'connect', status, ...(retryAfter && { retryAfter }) }))

/** What goes wrong in the reply, or in place of it; `within` chooses a moment. */
const faults: readonly (readonly [string, (within: (ms: number) => number) => Plan])[] = [
  ['nothing', () => []],
  ...(['kill', 'stall', 'expire', 'malformed', 'binary', 'oversize', 'error', 'fail'] as const).map(
    what => [`${what} in mid-sentence`, (within: (ms: number) => number) => [audio(what, within(2_500))]] as const,
  ),
  ['a stall before the first sound', () => [{ at: 'response', what: 'stall' }]],
  ['two of them', () => Array<Fault>(2).fill({ at: 'response', what: 'stall' })],
  ['words without a sound', () => [{ at: 'response', what: 'mute' }]],
  ['a response that fails', () => [{ at: 'response', what: 'fail' }]],
  ['one that is refused', () => [{ at: 'response', what: 'refuse' }]],
  ['responses that fail for ever', () => Array<Fault>(9).fill({ at: 'response', what: 'fail' })],
  ['responses that are refused for ever', () => Array<Fault>(9).fill({ at: 'response', what: 'refuse' })],
  ['no money', () => [{ at: 'response', what: 'quota' }]],
  ['killed, and 429 with a second to wait', within => [audio('kill', within(2_000)), ...down(429, 2, '1')]],
  ['killed, and 429 with a minute to wait', within => [audio('kill', within(2_000)), ...down(429, 1, '60')]],
  ['killed, and 5xx for some time', within => [audio('kill', within(2_000)), ...down(503, 3)]],
  ['killed, and 5xx for ever', within => [audio('kill', within(2_000)), ...down(500, 40)]],
  ['killed, and the key is refused', within => [audio('kill', within(2_000)), ...down(401, 1)]],
  ['stalled, and 5xx for some time', within => [audio('stall', within(2_000)), ...down(503, 3)]],
  [
    'killed, and a session that says nothing',
    within => [audio('kill', within(2_000)), { at: 'session', what: 'silence' }],
  ],
  ['killed, and sessions that close at once', within => [audio('kill', within(2_000)), ...closing(12)]],
  ['killed again and again', () => Array.from({ length: 9 }, () => audio('kill', 0))],
]

function closing(times: number): Fault[] {
  return Array.from({ length: times }, () => ({ at: 'session', what: 'close' }))
}

/** The longest silence since then, until the last sound, or until the call was over. */
function longestSilenceMs({ house: { line, outcome } }: Call, sinceMs: number): number {
  const sounds = line.soundingFrames.map(frame => frame * 20).filter(ms => ms >= sinceMs)
  const moments = [sinceMs, ...sounds, outcome || sounds.length === 0 ? line.playedMs : sounds.at(-1)!]
  return Math.max(...moments.map((ms, i) => (moments[i + 1] ?? ms) - ms))
}

/** The caller says a word, and waits until it is answered, they are asked to say it again, or somebody else takes over. */
async function turn({ house }: Call, wordMs: number): Promise<{ sinceMs: number; asked: boolean; answered: boolean }> {
  const sinceMs = house.line.playedMs + wordMs
  const before = house.all('agentSpoke').length
  const spoke = () =>
    house
      .all('agentSpoke')
      .slice(before)
      .filter(({ complete }) => complete)
  const asked = () => spoke().some(({ ms }) => ms === PHRASE_MS)
  const answered = () =>
    spoke().some(({ ms }) => ms === REST_MS) || spoke().reduce((sum, { ms }) => sum + ms, 0) >= REPLY_MS
  house.says(1_300, wordMs)
  while (!house.outcome && !asked() && !answered() && house.line.playedMs < sinceMs + 60_000) await house.run(100)
  return { sinceMs, asked: asked(), answered: answered() }
}

describe('the longest silence that a caller hears while something is owed', () => {
  it.each(faults)('%s', async (_, plan) => {
    for (let seed = 1; seed <= CALLS; seed++) {
      const random = seeded(seed)
      const stage = call({ turns: Array(4).fill([{ say: `[tone 700 ${REPLY_MS}ms]` }]) })
      const { house, api } = stage
      await house.run(900)
      api.faults.plan(...plan(most => Math.floor(random() * most)))
      for (let asked = true; asked && !house.outcome; ) {
        const owed = await turn(stage, 300 + Math.floor(random() * 500))
        expect(
          longestSilenceMs(stage, owed.sinceMs),
          `seed ${seed}: ${JSON.stringify(house.tones)}`,
        ).toBeLessThanOrEqual(MOST_MS)
        expect(owed.asked || owed.answered || house.outcome, `seed ${seed}: ${house.hertz}`).toBeTruthy()
        asked = owed.asked
      }
      // Somebody else's hands are announced.
      if (house.outcome) expect([house.outcome.kind, house.hertz.at(-1)]).toEqual(['handBack', phraseHz.handingOver])
      await house.hangUp()
      expect(house.clock.pending).toBe(0)
    }
  })
})
