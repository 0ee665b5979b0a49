import { describe, expect, it } from 'vitest'
import { Announcing } from '../../src/agent/announcing.ts'
import { pipelineAgent } from '../../src/agent/pipeline.ts'
import { realtimeAgent } from '../../src/agent/realtime.ts'
import { scriptedConversant } from '../../src/providers/scripted/conversant.ts'
import { scriptedModel } from '../../src/providers/scripted/model.ts'
import { scriptedRecognizer } from '../../src/providers/scripted/recognizer.ts'
import { inTurn, type Step } from '../../src/providers/scripted/script.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { House, type HouseOptions, toneSettings } from './house.ts'

const told = 500
const greeting = 440
const announcement = `[tone ${told} 800ms]`
const reply: readonly Step[] = [{ say: '[tone 700 400ms]' }]

const engines = {
  'of three parts': (clock: VirtualClock, turns: readonly (readonly Step[])[]) =>
    pipelineAgent({
      recognizer: scriptedRecognizer({ clock, latencyMs: 50 }),
      model: scriptedModel({ clock, script: inTurn(turns), latencyMs: 100 }),
      speaker: scriptedSpeaker({ clock, format: { encoding: 'pcm16', rate: 24_000 }, latencyMs: 20 }),
      tools: () => [],
      settings: toneSettings,
      clock,
    }),
  'of one part': (clock: VirtualClock, turns: readonly (readonly Step[])[]) =>
    realtimeAgent({
      conversant: scriptedConversant({
        clock,
        recognizer: scriptedRecognizer({ clock, latencyMs: 50 }),
        model: scriptedModel({ clock, script: inTurn(turns), latencyMs: 100 }),
      }),
      speaker: undefined,
      tools: () => [],
      settings: toneSettings,
      clock,
    }),
}

async function open(engine: keyof typeof engines, turns: readonly (readonly Step[])[], options: HouseOptions = {}) {
  const clock = new VirtualClock()
  return new House(clock, { announcement, ...options }).start(engines[engine](clock, turns))
}

describe.each(Object.keys(engines) as (keyof typeof engines)[])('an agent %s whose call is recorded', engine => {
  it('says so before anything else, and only what comes after that can be recorded', async () => {
    const house = await open(engine, [reply])
    await house.run(3_000)
    expect(house.hertz).toEqual([told, greeting])
    const [first, second] = house.tones
    expect(first!.toMs - first!.fromMs).toBeGreaterThanOrEqual(780)
    const sinceConnectedMs = house.announcedMs! - house.answeredMs!
    expect(sinceConnectedMs).toBeGreaterThanOrEqual(first!.toMs - 20)
    expect(sinceConnectedMs).toBeLessThanOrEqual(second!.fromMs + 20)
    house.says(1_300)
    await house.run(3_000)
    expect(house.hertz).toEqual([told, greeting, 700])
    await house.hangUp()
  })

  it('says so once more to a caller who has interrupted that, behind the reply', async () => {
    const house = await open(engine, [reply])
    await house.run(500)
    house.says(1_300)
    await house.run(5_000)
    expect(house.hertz).toEqual([told, 700, told])
    expect(house.announcedMs).toBeGreaterThan(1_500)
    await house.hangUp()
  })

  it('does not record whoever has interrupted it twice', async () => {
    const house = await open(engine, [reply, reply])
    await house.run(500)
    house.says(1_300)
    await house.run(500)
    for (let waited = 0; waited < 5_000 && house.hertz.filter(hz => hz === told).length < 2; waited += 20) {
      await house.run(20)
    }
    house.says(1_300)
    await house.run(8_000)
    expect(house.hertz.filter(hz => hz === told)).toHaveLength(2)
    expect(house.announcedMs).toBeUndefined()
    await house.hangUp()
  })

  it('ends it for a caller who does not want it', async () => {
    const house = await open(engine, [[{ call: 'stop_recording' }, ...reply]])
    await house.run(3_000)
    house.says(1_300)
    await house.run(4_000)
    expect(house.fact('toolRan')).toMatchObject({ tool: 'stop_recording', ok: true })
    expect(house.recordingStopped).toBe(true)
    await house.hangUp()
  })

  it('that goes on with a caller who was told greets as it always does', async () => {
    const clock = new VirtualClock()
    const house = new House(clock).start(engines[engine](clock, [reply]))
    await house.run(2_000)
    expect(house.hertz).toEqual([greeting])
    await house.hangUp()
  })
})

describe('telling that it is recorded', () => {
  const recorded = () => {
    const log: string[] = []
    const announcing = new Announcing(
      { announcement: 'told', announced: () => log.push('announced'), stop: () => log.push('stop') > 0 },
      () => 'hello',
    )
    return { log, announcing }
  }

  it('that was declined before it was heard is not owed any more', () => {
    const { log, announcing } = recorded()
    announcing.heard(false)
    announcing.decline()
    expect(announcing.next()).toBeUndefined()
    announcing.heard(true)
    expect(log).toEqual(['stop'])
  })

  it('says its greeting once', () => {
    const { log, announcing } = recorded()
    expect(announcing.opening).toBe('told')
    announcing.heard(true)
    expect([announcing.next(), announcing.next()]).toEqual(['hello', undefined])
    announcing.heard(true)
    expect(log).toEqual(['announced'])
  })
})
