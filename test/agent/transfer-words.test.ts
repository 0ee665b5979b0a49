import { describe, expect, it } from 'vitest'
import { pipelineAgent } from '../../src/agent/pipeline.ts'
import type { Conversant, ConversantSession, Ear, Hearing, Recognizer } from '../../src/agent/ports.ts'
import { Queue } from '../../src/agent/queue.ts'
import { realtimeAgent } from '../../src/agent/realtime.ts'
import { scriptedModel } from '../../src/providers/scripted/model.ts'
import { inTurn } from '../../src/providers/scripted/script.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { House, phraseHz, toneSettings } from './house.ts'
import { Puppet, sounds } from './puppet.ts'

const destinations = ['reception', 'billing'].map(name => ({
  name,
  address: 'sip:2000@192.0.2.10',
  mode: 'attended' as const,
}))
const business = { destinations, transfers: {} }
const words = 'Connect me with billing, please.'
const asked = { destination: 'billing', by: 'caller', reason: words }

/** Hears what the test says it does, one queue for each line that it is opened for. */
class Words implements Recognizer {
  readonly opened: Queue<Hearing>[] = []

  open(): Ear {
    const results = new Queue<Hearing>()
    this.opened.push(results)
    return { format: { encoding: 'ulaw', rate: 8_000 }, results, write: () => {}, finish: () => {} }
  }

  hears(text: string, line = 0, kind: Hearing['kind'] = 'final'): void {
    this.opened[line]!.push({ kind, text, startMs: 1_000, endMs: 2_000 })
  }
}

async function cascade() {
  const clock = new VirtualClock()
  const recognizer = new Words()
  const model = scriptedModel({ clock, script: inTurn([[{ say: '[tone 700 2000ms]' }]]), latencyMs: 100 })
  const speaker = scriptedSpeaker({ clock, format: { encoding: 'ulaw', rate: 8_000 }, latencyMs: 20 })
  const handler = pipelineAgent({ recognizer, model, speaker, tools: () => [], settings: toneSettings, clock })
  const house = new House(clock, { business }).start(handler)
  await house.run(900)
  return { house, recognizer }
}

async function realtime() {
  const clock = new VirtualClock()
  const puppet = new Puppet()
  const listener = new Puppet()
  const conversant: Conversant = {
    open: (session: ConversantSession) => (puppet.session ? listener : puppet).open(session),
  }
  const speaker = scriptedSpeaker({ clock, format: { encoding: 'ulaw', rate: 8_000 }, latencyMs: 20 })
  const handler = realtimeAgent({ conversant, speaker, tools: () => [], settings: toneSettings, clock })
  const house = new House(clock, { business }).start(handler)
  await house.run(100)
  puppet.gives('greeting', '[tone 440 600ms]')
  await house.run(1_000)
  puppet.events.push({ kind: 'speechStarted', atMs: 500 })
  await house.run(400)
  puppet.events.push({ kind: 'speechStopped', atMs: 900 })
  return { house, puppet, listener }
}

describe('a caller’s clear wish', () => {
  it('is fulfilled whatever a model would say', async () => {
    const { house, recognizer } = await cascade()
    recognizer.hears(words)
    await house.run(2_000)
    expect(house.transfers.map(({ wish }) => wish)).toEqual([asked])
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual([words])
    expect(house.hertz.slice(0, 2)).toEqual([440, phraseHz.handingOver])
    await house.hangUp()
  })

  it('is fulfilled also when a model has begun to say something else', async () => {
    const { house, puppet } = await realtime()
    puppet.events.push({ kind: 'replying' })
    puppet.gives('item', '[tone 700 3000ms]')
    await house.run(500)
    puppet.events.push({ kind: 'words', final: true, text: words, startMs: 500 })
    await house.run(2_000)
    expect(house.hertz.slice(0, 3)).toEqual([440, 700, phraseHz.handingOver])
    expect(house.transfers.map(({ wish }) => wish)).toEqual([asked])
    await house.hangUp()
  })

  it('is none where nobody can be reached', async () => {
    const { house, recognizer } = await cascade()
    recognizer.hears('I spoke with a person yesterday.')
    await house.run(2_000)
    expect(house.transfers).toEqual([])
    expect(house.hertz).toEqual([440, 700])
    await house.hangUp()
  })
})

describe('one who hears, thinks and speaks', () => {
  it('is told what has become of it, and of what the caller was told', async () => {
    const { house, puppet } = await realtime()
    puppet.events.push({ kind: 'words', final: true, text: words, startMs: 500 })
    await house.run(2_000)
    puppet.log.length = 0
    house.transfers[0]!.settle('noAnswer')
    await house.run(1_000)
    expect(puppet.log).toEqual([
      expect.stringMatching(
        /^instruct The transfer to billing is over: nobody answered\..*reception.*take a message\.$/,
      ),
      `told ${toneSettings.phrases.notReached}`,
    ])
    puppet.gives('sorry', '[tone 800 400ms]')
    await house.run(1_000)
    expect(house.hertz.slice(-2)).toEqual([phraseHz.notReached, 800])
    await house.hangUp()
  })

  it('says nothing into the ringing, and knows that it has not been heard', async () => {
    const { house, puppet } = await realtime()
    puppet.events.push({ kind: 'words', final: true, text: words, startMs: 500 })
    await house.run(2_000)
    puppet.log.length = 0
    puppet.events.push({ kind: 'replying' })
    puppet.events.push({ kind: 'audio', item: 'late', audio: sounds.render('[tone 950 500ms]'), text: 'Hello?' })
    await house.run(2_000)
    expect(puppet.log).toEqual(['heard late 0', 'cancel'])
    expect(house.hertz).not.toContain(950)
    // And answers nothing that is said meanwhile.
    puppet.events.push({ kind: 'turnEnded' })
    puppet.events.push({ kind: 'committed', wordsFollow: false })
    await house.run(100)
    expect(puppet.log).toEqual(['heard late 0', 'cancel'])
    await house.hangUp()
  })
})

describe('whoever answers', () => {
  it('says yes or no to a recognizer of their own', async () => {
    const { house, recognizer } = await cascade()
    recognizer.hears(words)
    await house.run(2_000)
    const far = house.answersFar()
    await house.run(25_000)
    recognizer.hears('Yes, please.', 1, 'partial')
    recognizer.hears('No, thank you.', 1)
    expect(await far.answer).toBe('declined')
    await house.hangUp()
  })

  it('says so to another session, which is to say nothing', async () => {
    const { house, puppet, listener } = await realtime()
    puppet.events.push({ kind: 'words', final: true, text: words, startMs: 500 })
    await house.run(2_000)
    const far = house.answersFar()
    await house.run(25_000)
    expect(listener.session).toMatchObject({ tools: [], history: [] })
    listener.events.push({ kind: 'replying' })
    listener.events.push({ kind: 'words', final: true, text: 'Yes.', startMs: 20_000 })
    expect(await far.answer).toBe('accepted')
    expect(listener.log).toEqual(['cancel'])
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })
})
