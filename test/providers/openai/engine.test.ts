import { describe, expect, it } from 'vitest'
import { type Business, readBusiness } from '../../../src/business.ts'
import { FakeOpenAi } from '../../../src/fake-openai/api.ts'
import type { Fault } from '../../../src/fake-openai/faults.ts'
import { limits } from '../../../src/limits.ts'
import { realtimeEngine } from '../../../src/providers/openai/engine.ts'
import { defaultOptions } from '../../../src/providers/openai/options.ts'
import { House, type HouseOptions, phraseHz, toneSettings } from '../../agent/house.ts'
import { dialFake } from '../../support/fake-openai.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const business = readBusiness({
  file: undefined,
  name: 'T',
  phone: undefined,
  ownerPhone: undefined,
  engine: 'realtime',
})

function engine(chosen: Partial<Business> = {}) {
  const clock = new VirtualClock()
  const api = new FakeOpenAi({ clock })
  const addresses: string[] = []
  const inner = dialFake(api)
  const { handler, prewarm } = realtimeEngine({
    clock,
    baseUrl: 'http://127.0.0.1:8090',
    apiKey: undefined,
    options: defaultOptions,
    dial: (url, ...rest) => {
      addresses.push(url.href)
      return inner(url, ...rest)
    },
    settings: toneSettings,
  })
  const talk = (options: HouseOptions = {}) =>
    new House(clock, options).start((call, scope) =>
      handler({ ...call, business: { ...call.business, ...chosen } }, scope),
    )
  return { api, clock, addresses, talk, prewarm }
}

describe('the realtime engine', () => {
  it('keeps its phrases as sound of its own voice: the last word is heard when the server is gone for good', async () => {
    const { api, talk } = engine({ voice: 'cedar' })
    const house = talk()
    await house.run(5_000)
    // One for the call, one for each phrase, all closed again.
    expect(api.sessions.filter(({ closed }) => !closed)).toHaveLength(1)
    expect(api.sessions).toHaveLength(1 + new Set(Object.values(toneSettings.phrases)).size)
    for (const session of api.sessions) {
      expect(session.received[0]).toMatchObject({ session: { audio: { output: { voice: 'cedar' } } } })
    }
    api.faults.plan({ at: 'connect', status: 401 })
    api.sessions[0]!.kill()
    await house.run(3_000)
    expect(house.hertz.at(-1)).toBe(phraseHz.handingOver)
    expect(house.outcome).toEqual({ kind: 'handBack', reason: 'engine failed', message: 'failure' })
  })

  it.each<Fault>([
    { at: 'response', what: 'fail' },
    { at: 'response', what: 'refuse' },
    { at: 'response', what: 'mute' },
    { at: 'audio', afterMs: 200, what: 'fail' },
  ])('keeps none of which not all was said: $at $what', async fault => {
    const { api, clock, prewarm } = engine()
    const { signal } = new AbortController()
    api.faults.plan(fault)
    const failing = expect(prewarm(business, signal)).rejects.toThrow('did not say')
    await clock.run(5_000)
    await failing
    const warming = prewarm(business, signal)
    await clock.run(5_000)
    await warming
    expect(api.sessions).toHaveLength(1 + new Set(Object.values(toneSettings.phrases)).size)
  })

  it('renders them once, not for every call', async () => {
    const { api, talk } = engine()
    const first = talk()
    await first.run(5_000)
    await first.hangUp()
    const rendered = api.sessions.length
    const second = talk()
    await second.run(5_000)
    expect(second.hertz[0]).toBe(440)
    expect(api.sessions).toHaveLength(rendered + 1)
    await second.hangUp()
  })

  it('follows what a business has chosen', async () => {
    const { api, addresses, talk } = engine({
      language: 'de-DE',
      realtime: { model: 'another', silenceMs: 700, noiseReduction: 'off' },
    })
    const house = talk()
    await house.run(900)
    expect(house.hertz).toEqual([440])
    expect(addresses[0]).toBe('ws://127.0.0.1:8090/v1/realtime?model=another')
    expect(api.sessions[0]!.received[0]).toMatchObject({
      session: {
        audio: { input: { turn_detection: { silence_duration_ms: 700 }, transcription: { language: 'de' } } },
      },
    })
    expect(JSON.stringify(api.sessions[0]!.received[0])).not.toContain('noise_reduction')
    await house.hangUp()
  })

  it('serves businesses that come and change while it runs, and remembers what it made for those that call', async () => {
    const { api, clock, talk, prewarm } = engine()
    const others = Array.from({ length: limits.openai.choices }, (_, index) => 300 + index)
    const made = async (silenceMs: number) => {
      const before = api.sessions.length
      const warming = prewarm({ ...business, realtime: { silenceMs } }, new AbortController().signal)
      await clock.run(5_000)
      await warming
      return api.sessions.length - before
    }
    const regular = 250
    expect(await made(regular)).toBeGreaterThan(0)
    for (const other of others) {
      expect(await made(other)).toBeGreaterThan(0)
      expect([other, await made(regular)]).toEqual([other, 0])
    }
    expect(await made(others[0]!)).toBeGreaterThan(0)
    const house = talk()
    await house.run(900)
    expect(house.hertz).toEqual([440])
    await house.hangUp()
  })

  it('has its last word ready before the first call, in both laws', async () => {
    for (const law of ['ulaw', 'alaw'] as const) {
      const { api, clock, talk, prewarm } = engine()
      const warming = prewarm(business, new AbortController().signal)
      await clock.run(5_000)
      await warming
      const house = talk({ law })
      await house.run(700)
      api.faults.plan({ at: 'connect', status: 401 })
      for (const session of api.sessions) session.kill()
      await house.run(2_000)
      expect(house.hertz).toEqual([440, phraseHz.handingOver])
    }
  })

  it('keeps the phrases of a business that has its own', async () => {
    const { api, talk } = engine({ conversation: { noInputSeconds: [1], phrases: { goodbye: '[tone 620 400ms]' } } })
    const house = talk()
    await house.run(4_000)
    expect(house.hertz).toEqual([440, 620])
    expect(house.outcome).toEqual({ kind: 'hangup' })
    expect(JSON.stringify(api.sessions.flatMap(({ received }) => received))).not.toContain('[tone 510')
  })
})
