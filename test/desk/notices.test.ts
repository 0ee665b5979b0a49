import { describe, expect, it } from 'vitest'
import type { CallFact } from '../../src/call/events.ts'
import { callerIn, occasionOf, wasMissed, waysOf, wordsOf } from '../../src/desk/notices.ts'

const numbers = { callerNumber: '+15550100177', calledNumber: '+15550100200' }
const hidden = { ...numbers, calledUser: 'bianca', requestUri: '', parameters: {}, headers: {} }
const offered: CallFact = { name: 'offered', engine: 'scripted', codec: 'ulaw', private: hidden }
const refused = (reason: 'capacity' | 'draining' | 'inactive' | 'forged'): CallFact => ({
  ...{ name: 'refused', reason, private: { callerNumber: '+15550100177' } },
})
const spoke: CallFact = { name: 'agentSpoke', ms: 900, complete: true, private: { text: 'Hello.' } }
const asked: CallFact = { name: 'messageAsked', by: 'closed' }
const saidGoodbye: CallFact = { name: 'ended', reason: 'agentHungUp', durationMs: 900 }
const hungUp: CallFact = { name: 'ended', reason: 'callerHungUp', durationMs: 900 }
const announced = (verdict: 'agent' | 'forward' | 'excuse' | 'reject' | 'record', parameters = {}): CallFact => ({
  ...{ name: 'announced', verdict, private: { ...numbers, parameters } },
})
const told = (
  status: 'completed' | 'noAnswer' | 'inProgress',
  direction: 'inbound' | 'outbound' = 'inbound',
): CallFact => ({
  ...{ name: 'carrierTold', status, direction, private: numbers },
})
const wayEnded = (status: 'busy' | 'completed', next: 'forward' | 'voicemail' | 'end' | 'excuse'): CallFact => ({
  ...{ name: 'wayEnded', status, next },
})
const awaited: CallFact = {
  name: 'recordingAwaited',
  recording: 'RE1',
  seconds: 3,
  private: { url: '', callerNumber: undefined },
}
const left: CallFact = {
  name: 'voicemailLeft',
  seconds: 9,
  private: { recording: 'RE1', callerNumber: '+15550100177' },
}

function stored(facts: readonly CallFact[]) {
  return facts.map(({ name, ...rest }) => {
    const { private: secret, ...details } = rest as Record<string, unknown>
    return { name, details, private: (secret ?? null) as Record<string, unknown> | null }
  })
}

describe('a call was missed', () => {
  it.each<[string, CallFact[]]>([
    ['when its caller left before a word of the agent', [offered, { name: 'answered', setUpMs: 4 }, hungUp]],
    ['when its caller was asked for a message alone, and left none', [offered, asked, spoke, hungUp]],
    ['when they said nothing, and were said goodbye to', [offered, asked, spoke, spoke, saidGoodbye]],
    ['when nothing is known of it but that it is over', [told('noAnswer')]],
    [
      'when the agent was busy, and nobody took its place',
      [announced('agent'), wayEnded('busy', 'excuse'), told('completed')],
    ],
    ['when there was no place for its caller', [refused('capacity')]],
    ['when the gateway was about to stop', [refused('draining')]],
    [
      'when nothing was said into the recording',
      [
        ...[announced('agent'), wayEnded('busy', 'voicemail'), awaited, told('completed')],
        { name: 'recordingGivenUp', recording: 'RE1', why: 'nothing was said' },
      ],
    ],
    [
      'when it rang elsewhere, and nobody was there',
      [announced('forward'), wayEnded('busy', 'voicemail'), told('completed')],
    ],
  ])('%s', (_, facts) => expect(wasMissed(stored(facts))).toBe(true))

  it.each<[string, CallFact[]]>([
    [
      'the carrier still has whom there was no place for',
      [announced('agent'), refused('capacity'), told('inProgress')],
    ],
    ['the agent has spoken', [offered, spoke, hungUp]],
    ['the agent has spoken before it asked for a message', [offered, spoke, asked, hungUp]],
    ['a message was left with the gateway', [offered, asked, spoke, left, saidGoodbye]],
    ['it goes on elsewhere', [announced('agent'), offered, hungUp]],
    ['the carrier has it still', [announced('agent'), told('inProgress')]],
    ['a message was left', [announced('record'), awaited, left, told('completed')]],
    ['a message was left that is not here yet', [announced('record'), awaited, told('completed')]],
    [
      'somebody else has answered it',
      [...[announced('agent'), wayEnded('busy', 'forward'), wayEnded('completed', 'end'), told('completed')]],
    ],
    [
      'it was connected with somebody',
      [...[offered, { name: 'transferEnded', attempt: 1, outcome: 'connected', tookMs: 9 } as const, hungUp]],
    ],
    ['the fallback of the PBX has it', [offered, { name: 'handedBack', reason: 'x' }, hungUp]],
    [
      'it was one of ours',
      [{ name: 'callAsked', attempt: 1, private: { calledNumber: '+1' } }, told('noAnswer', 'outbound')],
    ],
    ['it was a test', [announced('agent', { test: 'yes' }), told('completed')]],
    ['it was for nobody here', [announced('reject'), told('completed')]],
  ])('never when %s', (_, facts) => expect(wasMissed(stored(facts))).toBe(false))
})

it('is news of some things only', () => {
  const of = (fact: CallFact) => occasionOf({ atMs: 7, fact })?.kind
  const message = { text: 'The cellar is full of water', callback: '+15550100178' }
  expect(of(left)).toBe('voicemail')
  expect(of({ name: 'recordingGivenUp', recording: 'RE1', why: 'the carrier answered 404' })).toBe('voicemail')
  expect(of({ name: 'recordingGivenUp', recording: 'RE1', why: 'nothing was said' })).toBeUndefined()
  expect(of({ name: 'messageTaken', private: message })).toBeUndefined()
  const urgent: CallFact = { name: 'messageTaken', urgent: true, private: { ...message, person: 'Ann' } }
  expect(occasionOf({ atMs: 7, fact: urgent })).toEqual({
    ...{
      kind: 'urgent',
      about: '7',
      callerNumber: '+15550100178',
      words: 'Urgent, for Ann: The cellar is full of water',
    },
  })
  expect([hungUp, saidGoodbye, told('noAnswer')].map(of)).toEqual(['missedCall', 'missedCall', 'missedCall'])
  expect([refused('capacity'), refused('draining')].map(of)).toEqual(['missedCall', 'missedCall'])
  expect([refused('inactive'), refused('forged')].map(of)).toEqual([undefined, undefined])
  expect([told('inProgress'), told('completed', 'outbound'), offered, spoke].map(of)).toEqual([
    ...[undefined, undefined, undefined, undefined],
  ])
  expect(of({ name: 'ended', reason: 'redirected', durationMs: 1 })).toBeUndefined()
})

it('is told in words that fit', () => {
  const business = { name: 'Dentist', timeZone: 'America/New_York' }
  const said = { what: 'A caller was not answered.', callerNumber: '+15550100177', atMs: Date.UTC(2026, 0, 5, 14) }
  expect(wordsOf(business, said, 1_000)).toBe(
    'A caller was not answered. Their number: +15550100177. 2026-01-05 09:00, Dentist.',
  )
  const long = wordsOf(business, { ...said, callerNumber: undefined, what: '🦷'.repeat(500) }, 100)
  expect(long.length).toBeLessThanOrEqual(100)
  expect(long.isWellFormed()).toBe(true)
  expect(long).toMatch(/\.\.\. Their number is not known\. 2026-01-05 09:00, Dentist\.$/)
})

it('goes where the business wants to have it', () => {
  const all = { phone: '+15550100201', email: 'a@example.com', webhook: 'https://example.com' }
  expect(waysOf({ notify: all })).toEqual(['text', 'mail', 'webhook'])
  expect(waysOf({ notify: {} })).toEqual([])
})

it('finds who called wherever that was told', () => {
  expect(callerIn(stored([hungUp, told('completed')]))).toBe('+15550100177')
  expect(callerIn(stored([refused('capacity')]))).toBe('+15550100177')
  expect(callerIn(stored([hungUp]))).toBeUndefined()
})

describe('what a voicemail says', () => {
  it('is told once it is written down, with how far it can be trusted, and not when nothing was understood', () => {
    const written = (by: 'provider' | 'builtIn', text: string) =>
      occasionOf({ atMs: 7, fact: { name: 'transcribed', recording: 'RE1', by, private: { text } } })
    const kind = 'voicemailWords'
    expect(written('provider', 'call me')).toMatchObject({ kind, words: 'The voicemail says: call me' })
    const words = 'The voicemail says, as far as it was understood: call me'
    expect(written('builtIn', 'call me')).toMatchObject({ kind, words })
    expect(written('provider', '')).toBeUndefined()
  })
})
