import { describe, expect, it } from 'vitest'
import type { Fault } from '../../../src/fake-openai/faults.ts'
import { limits } from '../../../src/limits.ts'
import { phraseHz } from '../../agent/house.ts'
import { answering, type Call, call, voiceAlone } from './house.ts'

const words = 'one two three four five six seven eight nine ten eleven twelve'
const reply = [[{ say: '[tone 700 3000ms]' }]]
const audioFault = (what: Extract<Fault, { at: 'audio' }>['what'], afterMs = 1_000): Fault => ({
  at: 'audio',
  what,
  afterMs,
})

/** The longest that the caller heard nothing since then, in milliseconds. */
function silenceMs({ house }: Call, sinceMs: number): number {
  const sounds = house.line.soundingFrames.map(frame => frame * 20).filter(ms => ms >= sinceMs)
  return Math.max(...[sinceMs, ...sounds].map((ms, i, all) => (all[i + 1] ?? ms) - ms))
}

describe('a session that cannot be opened', () => {
  it.each([
    [401, undefined, 'OPENAI_API_KEY'],
    [403, undefined, 'rights'],
    [404, undefined, 'OPENAI_REALTIME_MODEL'],
    [429, '60', '429'],
  ])('%s: the caller is handed back unanswered, at once', async (status, retryAfter, words) => {
    const { house } = call({ faults: [{ at: 'connect', status, retryAfter }] })
    await house.run(50)
    expect(house.answeredMs).toBeUndefined()
    expect(house.outcome).toEqual({ kind: 'handBack', reason: 'engine failed', message: 'failure' })
    expect(house.fact('degraded')?.detail).toContain(words)
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it('a wrong key is refused by the server itself', async () => {
    const { house } = call({ key: 'other' })
    await house.run(50)
    expect(house.outcome).toMatchObject({ kind: 'handBack' })
  })

  it.each<[string, Fault[], number]>([
    ['429 with a second to wait', [{ at: 'connect', status: 429, retryAfter: '1' }], 1_000],
    [
      '500, and 503 after it',
      [
        { at: 'connect', status: 500 },
        { at: 'connect', status: 503 },
      ],
      750,
    ],
    ['closed before it was there', [{ at: 'session', what: 'close' }], 250],
  ])('is tried again while the phone rings: %s', async (_, faults, afterMs) => {
    const { house } = call({ faults })
    await house.run(afterMs - 10)
    expect(house.answeredMs).toBeUndefined()
    await house.run(1_200)
    expect(house.hertz).toEqual([440])
    expect(house.all('degraded').length).toBe(faults.length)
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it('one that says nothing is left in time', async () => {
    const { house } = call({ faults: [{ at: 'session', what: 'silence' }] })
    await house.run(limits.openai.sessionMs + limits.openai.openingMs + 1_000)
    expect(house.hertz.length + (house.outcome ? 1 : 0)).toBe(1)
    await house.hangUp()
  })
})

it('a caller who goes while they are being answered is no failure', async () => {
  const { house } = call({ goes: true })
  await house.run(500)
  expect(house.all('degraded')).toEqual([])
  expect(house.outcome).toMatchObject({ kind: 'handBack' })
  await house.hangUp()
  expect(house.clock.pending).toBe(0)
})

describe('a connection that breaks in mid-sentence', () => {
  it.each(['kill', 'oversize', 'expire', 'stall'] as const)('%s: the rest is spoken in a new session', async what => {
    const stage = call({ greeting: words, faults: [audioFault(what)] })
    const { house, api, session } = stage
    await house.run(10_000)
    expect(api.sessions).toHaveLength(2)
    // Not one of them twice, and none left out.
    const said = house.all('agentSpoke').map(fact => fact.private.text.trim())
    expect(said).toHaveLength(2)
    expect(said.join(' ')).toBe(words)
    expect(house.fact('degraded')?.detail).toMatch(/^The connection was lost: /)
    expect(silenceMs(stage, house.answeredMs! + 1_000)).toBeLessThanOrEqual(what === 'stall' ? 6_500 : 2_000)
    expect(house.outcome).toBeUndefined()
    house.says(1_500)
    await house.run(3_000)
    expect(house.hertz.at(-1)).toBe(750)
    expect(session().problems).toEqual([])
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it('the new session knows what was said before, and what of it was heard', async () => {
    const stage = await answering({ turns: reply })
    const { house, api } = stage
    await house.run(600)
    api.faults.plan({ at: 'connect', status: 503 })
    api.sessions[0]!.kill()
    await house.run(300)
    house.says(1_500)
    await house.run(4_000)
    expect(api.sessions).toHaveLength(2)
    expect(house.hertz).toEqual([440, 700, 750])
    const heard = house.all('agentSpoke')[1]!.private.text
    const known = api.sessions[1]!.conversation.messages.map(message => 'text' in message && message.text)
    expect(known).toEqual([
      '[tone 440 600ms]',
      'tone 1300',
      ...(heard === '' ? [] : [heard]),
      'tone 1500',
      '[tone 750 800ms]',
    ])
    expect(api.problems).toEqual([])
  })

  it('what the caller says meanwhile is heard by the new session', async () => {
    const stage = call({})
    const { house, api } = stage
    await house.run(1_500)
    api.faults.plan({ at: 'connect', status: 429, retryAfter: '2' })
    api.sessions[0]!.kill()
    house.says(1_500)
    await house.run(5_000)
    expect(house.hertz).toEqual([440, phraseHz.filler, 750])
  })

  it('a server that breaks again and again is left for the fallback, with a word', async () => {
    const faults = Array.from({ length: 8 }, () => audioFault('kill', 0))
    const stage = await answering({ turns: reply })
    stage.api.faults.plan(...faults)
    stage.house.says(1_500)
    await stage.house.run(15_000)
    expect(stage.house.outcome).toEqual({ kind: 'handBack', reason: 'engine failed', message: 'failure' })
    expect(stage.house.hertz.at(-1)).toBe(phraseHz.handingOver)
    expect(stage.api.sessions).toHaveLength(limits.openai.losses + 1)
  })
})

describe('a response', () => {
  it('that gives nothing is asked for again in a new session; the caller hears a filler', async () => {
    const stage = call({})
    const { house, api } = stage
    await house.run(900)
    api.faults.plan({ at: 'response', what: 'stall' })
    house.says(1_300)
    await house.run(10_000)
    expect(house.hertz.filter(hz => hz !== phraseHz.filler)).toEqual([440, 650])
    expect(house.hertz).toContain(phraseHz.filler)
    expect(api.sessions).toHaveLength(2)
  })

  it.each(['fail', 'refuse', 'mute'] as const)(
    'that fails is told to the caller, who is asked to say it again: %s',
    async what => {
      const { house, api } = call({})
      await house.run(900)
      api.faults.plan({ at: 'response', what })
      house.says(1_300)
      await house.run(3_000)
      expect(house.hertz).toEqual([440, phraseHz.trouble])
      house.says(1_500)
      await house.run(3_000)
      expect(house.hertz.at(-1)).toBe(750)
    },
  )

  it('that is the greeting and breaks off before the call is answered is told as any other', async () => {
    const { house } = call({ greeting: '[tone 440 3000ms]', faults: [audioFault('fail', 200)] })
    await house.run(3_000)
    expect(house.fact('degraded')!.atMs).toBeLessThan(house.answeredMs!)
    expect(house.hertz).toEqual([440, phraseHz.trouble])
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it.each(['fail', 'refuse', 'mute'] as const)(
    'that is the greeting and has no sound leaves the caller to somebody else, unanswered, at once: %s',
    async what => {
      const { house } = call({ faults: [{ at: 'response', what }] })
      await house.run(500)
      expect(house.answeredMs).toBeUndefined()
      expect(house.outcome).toMatchObject({ kind: 'handBack' })
      await house.hangUp()
      expect(house.clock.pending).toBe(0)
    },
  )

  it('that fails in mid-sentence is heard as far as it came; then the caller is asked to say it again', async () => {
    const { house, session } = call({ greeting: '[tone 440 3000ms]', faults: [audioFault('fail')] })
    await house.run(3_000)
    expect(house.hertz).toEqual([440, phraseHz.trouble])
    expect(house.all('agentSpoke')[0]).toMatchObject({ ms: 1_000 })
    expect(house.fact('degraded')?.detail).toContain('server_error')
    expect(session().problems).toEqual([])
  })

  it('that fails for want of money ends in the fallback, with a word', async () => {
    const { house, api } = call({})
    await house.run(900)
    api.faults.plan({ at: 'response', what: 'quota' })
    house.says(1_300)
    await house.run(3_000)
    expect(house.hertz).toEqual([440, phraseHz.handingOver])
    expect(house.outcome).toMatchObject({ kind: 'handBack' })
  })
})

describe('what a server should not send', () => {
  it.each(['malformed', 'binary', 'error'] as const)('does no harm once, and is repeated nowhere: %s', async what => {
    const { house, api } = call({ greeting: '[tone 440 3000ms]', faults: [audioFault(what)] })
    await house.run(4_000)
    expect(api.sessions).toHaveLength(1)
    expect(house.fact('agentSpoke')).toMatchObject({ ms: 3_000, complete: true })
    expect(JSON.stringify(house.facts)).not.toContain('secret words')
    await house.hangUp()
  })

  it('makes the session useless when it does not end', async () => {
    const { house, api } = call({})
    await house.run(1_500)
    for (let n = 0; n <= limits.openai.malformedFrames; n++) api.sessions[0]!.client.text('{')
    await house.run(1_000)
    expect(api.sessions).toHaveLength(2)
    house.says(1_500)
    await house.run(3_000)
    expect(house.hertz).toEqual([440, 750])
  })
})

describe('a session that has grown old', () => {
  it('is replaced unnoticed before its hour is over, again and again', async () => {
    const { clock, api, voice, kinds, ending } = await voiceAlone()
    voice.say('one two three')
    await clock.run(2_000)
    const before = [...kinds]
    await clock.run(110 * 60_000)
    expect(api.sessions.map(({ closed }) => closed)).toEqual([true, true, false])
    expect(api.sessions[2]?.conversation.messages).toEqual([
      { role: 'caller', text: 'before' },
      { role: 'agent', text: 'one two three', interrupted: false },
    ])
    expect(kinds).toEqual(before)
    voice.say('four')
    await clock.run(1_000)
    expect(kinds.slice(before.length)).toContain('turnEnded')
    expect(api.problems).toEqual([])
    ending.abort()
    await clock.run(10)
    expect(clock.pending).toBe(0)
  })

  it('is not replaced in the middle of a word', async () => {
    const { clock, api, voice, ending } = await voiceAlone()
    await clock.run(limits.openai.rotateMs.first - 100)
    voice.say('[tone 440 60000ms]')
    await clock.run(4_000)
    expect(api.sessions).toHaveLength(1)
    await clock.run(12_000)
    expect(api.sessions).toHaveLength(2)
    ending.abort()
  })
})
