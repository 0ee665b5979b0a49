import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { phraseHz } from '../../agent/house.ts'
import { answering, type Call, call, voiceAlone } from './house.ts'

const reply = [[{ say: '[tone 700 3000ms]' }]]

/** The server is gone, and lets nobody in for two seconds. */
function gone({ api }: Call, seconds = 2): void {
  api.faults.plan({ at: 'connect', status: 429, retryAfter: String(seconds) })
  api.sessions.at(-1)!.kill()
}

describe('while there is no session', () => {
  it('what is wished for waits for the next one', async () => {
    const stage = call()
    const { house } = stage
    await house.run(1_500)
    gone(stage)
    await house.run(100)
    house.press('4#')
    await house.run(4_000)
    expect(house.hertz).toEqual([440, phraseHz.filler, 1_200, 1_550])
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it('what nobody wants any more is not said in the next one', async () => {
    const stage = await answering({ turns: reply })
    const { house } = stage
    await house.run(300)
    gone(stage)
    await house.run(400)
    house.press('4#')
    await house.run(6_000)
    // Neither the rest of the reply nor the order to go on with it.
    expect(house.hertz.filter(hz => hz !== phraseHz.filler)).toEqual([440, 700, 1_200, 1_550])
    expect(JSON.stringify(stage.sent('response.create'))).not.toContain('Go on')
    expect(stage.api.problems).toEqual([])
  })

  it('is one that the network swallowed found out, also in the middle of what the caller says', async () => {
    const stage = call()
    const { house } = stage
    await house.run(1_500)
    house.says(1_300, 900)
    await house.run(300)
    stage.session().swallow()
    await house.run(9_000)
    // Asked for the words again at the latest when the new session has heard them.
    expect(house.hertz.at(-1)).toBe(650)
    expect(stage.api.sessions.filter(({ received }) => JSON.stringify(received).includes('end_call'))).toHaveLength(2)
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it('what the agent said of its own accord is known to the next one', async () => {
    const { house, api, session } = call()
    await house.run(11_000)
    expect(house.hertz).toEqual([440, phraseHz.stillThere])
    session().kill()
    await house.run(1_000)
    const said = session().conversation.messages.map(message => 'text' in message && message.text)
    expect(said).toEqual([expect.stringContaining('tone 440'), expect.stringContaining('tone 490')])
    expect(api.problems).toEqual([])
    await house.hangUp()
  })

  it('the caller hears a word within 2 s, also when nothing was being said', async () => {
    const stage = call()
    const { house } = stage
    await house.run(2_000)
    const since = house.line.playedMs
    gone(stage, 4)
    await house.run(2_000)
    expect(house.line.soundingFrames.some(frame => frame * 20 > since)).toBe(true)
    await house.run(4_000)
    house.says(1_500)
    await house.run(3_000)
    expect(house.hertz.at(-1)).toBe(750)
  })
})

/** When the caller heard something, after a moment of the line. */
function soundsMs({ house }: Call, sinceMs: number): number[] {
  return house.line.soundingFrames.map(frame => frame * 20).filter(ms => ms > sinceMs)
}

describe('a server that the network has swallowed', () => {
  const word = 700
  it.each([
    ['long before the caller speaks', -1_000],
    ['just before', -30],
    ['in the middle of it', 300],
    ['just before it tells the end of it', word + 480],
    ['when a reply is asked for', word + 600],
  ])('is noticed in time: %s', async (_, ms) => {
    for (const phaseMs of [0, 130, 260, 390]) {
      const stage = call()
      const { house, session, api } = stage
      await house.run(2_500 + phaseMs)
      if (ms < 0) session().swallow()
      await house.run(Math.max(0, -ms))
      const lostMs = house.line.playedMs + ms
      house.says(1_300, word)
      await house.run(Math.max(0, ms))
      if (ms >= 0) session().swallow()
      await house.run(3_000)
      expect(soundsMs(stage, lostMs)[0]! - lostMs).toBeLessThanOrEqual(2_000)
      while (!house.hertz.includes(650) && house.line.playedMs < 20_000) await house.run(100)
      await house.run(1_000)
      const endMs = lostMs - ms + word
      const moments = [endMs, ...soundsMs(stage, endMs)]
      const silences = moments.slice(0, -1).map((at, i) => moments[i + 1]! - at)
      expect(Math.max(...silences)).toBeLessThanOrEqual(2_500)
      // All of what was said has been heard by the next one.
      expect(house.hertz.filter(hz => hz !== phraseHz.filler)).toEqual([440, 650])
      expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1300'])
      expect(api.sessions).toHaveLength(2)
      expect(house.fact('degraded')?.detail).toContain('no sign of life')
      await house.hangUp()
      expect(house.clock.pending).toBe(0)
    }
  })
})

describe('a server that only gave nothing for a while', () => {
  it.each([
    [1_000, []],
    [3_500, [phraseHz.filler]],
  ])('is kept: %s ms of it', async (ms, bridged) => {
    for (const phaseMs of [0, 130, 260, 390]) {
      const { house, way, api } = call()
      await house.run(1_500 + phaseMs)
      way.block()
      await house.run(ms)
      way.open()
      await house.run(1_000)
      expect(house.hertz).toEqual([440, ...bridged])
      house.says(1_300)
      await house.run(3_000)
      expect(house.hertz).toEqual([440, ...bridged, 650])
      expect([api.sessions.length, house.all('degraded'), api.problems]).toEqual([1, [], []])
      // And it is the caller's turn.
      await house.run(8_000)
      expect(house.hertz.at(-1)).toBe(phraseHz.stillThere)
      await house.hangUp()
      expect(house.clock.pending).toBe(0)
    }
  })

  it.each([1_200, 2_000, 3_500])('answers what was said meanwhile: %s ms of it', async ms => {
    const { house, way, api } = call()
    await house.run(1_600)
    way.block()
    house.says(1_300)
    await house.run(ms)
    way.open()
    await house.run(4_000)
    expect(house.hertz.filter(hz => hz !== phraseHz.filler)).toEqual([440, 650])
    expect([api.sessions.length, house.all('degraded'), api.problems]).toEqual([1, [], []])
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it('is told the keys that were being pressed', async () => {
    const { house, way, sent } = call()
    await house.run(1_600)
    way.block()
    await house.run(800)
    house.press('4')
    await house.run(1_000)
    house.press('2#')
    await house.run(400)
    way.open()
    await house.run(3_000)
    expect(sent('conversation.item.create').map(({ item }) => JSON.stringify(item))).toEqual([
      expect.stringContaining('pressed 42# on'),
    ])
    await house.hangUp()
  })
})

describe('what the caller was saying when the session ended', () => {
  it.each([100, 250, 400, 550])('is heard whole by the next one: lost %s ms after it began', async ms => {
    const stage = call()
    const { house } = stage
    await house.run(1_500)
    house.says(1_500)
    await house.run(ms)
    gone(stage, 1)
    await house.run(6_000)
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1500'])
    expect(house.hertz.filter(hz => hz !== phraseHz.filler)).toEqual([440, 750])
    expect(stage.api.problems).toEqual([])
  })

  it.each([
    ['a short word', 320],
    ['a long one, whose reply was asked for', 600],
  ])('is heard again when nobody has written it down: %s', async (_, wordMs) => {
    const stage = call({ api: { transcriptionMs: 400, modelMs: 600 } })
    const { house, api } = stage
    await house.run(1_500)
    house.says(1_500, wordMs)
    const committed = () => house.clock.now() > 1_500 + wordMs + 700
    while (!committed()) await house.run(20)
    expect(house.all('callerSpoke')).toEqual([])
    gone(stage, 1)
    await house.run(6_000)
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1500'])
    expect(house.hertz.filter(hz => hz !== phraseHz.filler)).toEqual([440, 750])
    expect(house.outcome).toBeUndefined()
    // Nobody waits for the reply that was withdrawn.
    house.says(1_300)
    await house.run(3_000)
    expect(house.hertz.at(-1)).toBe(650)
    expect(api.problems).toEqual([])
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it('is not heard again once it is being answered', async () => {
    const stage = await answering({ turns: reply, api: { transcriptionMs: 5_000, modelMs: 50 } })
    const { house } = stage
    await house.run(200)
    stage.session().kill()
    await house.run(8_000)
    expect(stage.sent('response.create')).toHaveLength(3)
    expect(stage.sent('response.create').at(-1)?.response?.instructions).toContain('Go on')
  })
})

describe('a response that is cancelled and refused at once', () => {
  it('is over: nothing waits for its end', async () => {
    const { clock, api, voice, kinds, ending } = await voiceAlone()
    api.faults.plan({ at: 'response', what: 'refuse' })
    voice.respond()
    voice.cancel()
    voice.say('[tone 440 200ms]')
    await clock.run(500)
    expect(kinds).toEqual(['replying', 'audio', 'audio', 'audioEnded', 'used', 'turnEnded'])
    await clock.run(limits.openai.nextMs)
    expect(api.sessions).toHaveLength(1)
    ending.abort()
    await clock.run(10)
    expect(clock.pending).toBe(0)
  })
})
