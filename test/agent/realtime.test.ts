import { describe, expect, it } from 'vitest'
import { realtimeAgent } from '../../src/agent/realtime.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { House, phraseHz, toneSettings } from './house.ts'
import { Puppet, sounds } from './puppet.ts'

function open(options: { reserve?: boolean } = {}) {
  const clock = new VirtualClock()
  const puppet = new Puppet()
  const speaker = scriptedSpeaker({ clock, format: { encoding: 'ulaw', rate: 8_000 }, latencyMs: 20 })
  const handler = realtimeAgent({
    conversant: puppet,
    speaker: (options.reserve ?? true) ? speaker : undefined,
    tools: () => [],
    settings: toneSettings,
    clock,
  })
  return { puppet, house: new House(clock).start(handler) }
}

/** Greeted, and one second into a reply. */
async function replying(options: { reserve?: boolean } = {}) {
  const { puppet, house } = open(options)
  await house.run(100)
  puppet.gives('greeting', '[tone 440 600ms]')
  await house.run(1_000)
  puppet.events.push({ kind: 'speechStarted', atMs: 500 })
  await house.run(400)
  puppet.events.push({ kind: 'speechStopped', atMs: 900 })
  puppet.events.push({ kind: 'replying' })
  puppet.gives('item', '[tone 700 3000ms]')
  await house.run(1_000)
  expect(house.hertz).toEqual([440, 700])
  puppet.log.length = 0
  return { puppet, house }
}

describe('a realtime agent', () => {
  it('opens a session in the law of the line', async () => {
    const { puppet, house } = open()
    await house.run(10)
    expect(puppet.session).toMatchObject({ format: { encoding: 'ulaw', rate: 8_000 } })
    expect(await puppet.session?.instructions).toMatch(/^Be kind\..*Do not greet again/s)
    expect(puppet.log).toEqual(['say [tone 440 600ms]'])
    expect(house.answeredMs).toBeUndefined()
    await house.hangUp()
  })

  it('tells where the caller stopped hearing, and nothing beyond it ever plays', async () => {
    const { puppet, house } = await replying()
    puppet.events.push({ kind: 'speechStarted', atMs: 2_500 })
    await house.run(300)
    puppet.events.push({ kind: 'words', final: false, text: 'stop', startMs: 2_500 })
    await house.run(100)
    const heardMs = house.fact('agentInterrupted')!.ms
    // Generation was over: there was nothing to cancel.
    expect(puppet.log).toEqual([`heard item ${heardMs}`])
    expect(heardMs).toBe(house.all('agentSpoke').at(-1)!.ms)
    const frames = house.line.soundingFrames.length
    puppet.events.push({ kind: 'audio', item: 'item', audio: sounds.render('[tone 950 500ms]'), text: 'late' })
    await house.run(1_000)
    expect(house.line.soundingFrames).toHaveLength(frames)
  })

  it('stops what is still being generated', async () => {
    const { puppet, house } = await replying()
    puppet.events.push({ kind: 'replying' })
    puppet.events.push({ kind: 'audio', item: 'more', audio: sounds.render('[tone 750 400ms]'), text: '' })
    puppet.events.push({ kind: 'speechStarted', atMs: 2_500 })
    await house.run(600)
    expect(puppet.log).toEqual(['cancel', expect.stringMatching(/^heard item \d+$/), 'heard more 0'])
    // Of the cancelled reply: it is no answer to what the caller has said meanwhile.
    puppet.events.push({ kind: 'speechStopped', atMs: 3_100 })
    puppet.events.push({ kind: 'words', final: true, text: 'stop', startMs: 2_500 })
    await house.run(600)
    puppet.log.length = 0
    puppet.events.push({ kind: 'turnEnded' })
    await house.run(100)
    expect(puppet.log).toEqual([])
    expect(house.all('degraded')).toEqual([])
  })

  it('goes on when it was no interruption', async () => {
    const { puppet, house } = await replying()
    puppet.events.push({ kind: 'speechStarted', atMs: 2_500 })
    await house.run(200)
    puppet.events.push({ kind: 'speechStopped', atMs: 2_700 })
    await house.run(5_000)
    expect(puppet.log).toEqual([])
    expect(house.all('agentSpoke').at(-1)).toMatchObject({ ms: 3_000, complete: true })
  })

  it('tells it of keys, and of nothing else that it has heard itself', async () => {
    const { puppet, house } = await replying()
    await house.run(3_000)
    puppet.events.push({ kind: 'words', final: true, text: 'hello', startMs: 9_000 })
    await house.run(600)
    house.press('7#')
    await house.run(100)
    expect(puppet.log).toEqual(['instruct The caller pressed 7# on the keypad.'])
    await house.hangUp()
  })

  it('tells it of keys once, also when the caller goes on before there is a reply to them', async () => {
    const { puppet, house } = await replying()
    await house.run(3_000)
    house.press('7#')
    await house.run(100)
    puppet.events.push({ kind: 'speechStarted', atMs: 9_000 })
    await house.run(900)
    puppet.events.push({ kind: 'speechStopped', atMs: 9_800 })
    await house.run(3_000)
    expect(puppet.log.filter(line => line.includes('7#'))).toEqual(['instruct The caller pressed 7# on the keypad.'])
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['[pressed 7#]'])
    await house.hangUp()
  })

  it.each([
    ['breaks', async (puppet: Puppet) => puppet.events.push({ kind: 'failed', error: new Error('gone') })],
    ['is hung up', async (_puppet: Puppet, house: House) => house.hangUp()],
  ])('records the keys that it was not told of when it %s', async (_how, end) => {
    const { puppet, house } = await replying()
    await house.run(3_000)
    house.press('7')
    await end(puppet, house)
    await house.run(2_000)
    expect(puppet.log).toEqual([])
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['[pressed 7]'])
    await house.hangUp()
    expect(house.all('callerSpoke')).toHaveLength(1)
  })

  it('listens when it has nothing to say about the result of a tool that it had announced', async () => {
    const { puppet, house } = await replying()
    puppet.events.push({ kind: 'replying' })
    puppet.events.push({ kind: 'audio', item: 'more', audio: sounds.render('[tone 750 400ms]'), text: '' })
    puppet.events.push({ kind: 'audioEnded', item: 'more' })
    puppet.events.push({ kind: 'toolCall', id: 't1', name: 'none', args: {} })
    puppet.events.push({ kind: 'turnEnded' })
    await house.run(100)
    expect(puppet.results).toHaveLength(1)
    await house.run(2_500)
    puppet.events.push({ kind: 'replying' })
    puppet.events.push({ kind: 'turnEnded' })
    await house.run(1_000)
    expect(puppet.log).toEqual([])
    expect(house.hertz).toEqual([440, 700, 750])
  })

  it('ends the turn of a tool that was interrupted without giving cause for another', async () => {
    const { puppet, house } = await replying()
    puppet.events.push({ kind: 'toolCall', id: 't1', name: 'none', args: {} })
    await house.run(20)
    expect(puppet.results).toMatchObject([{ id: 't1', result: { ok: false }, reply: true }])
    puppet.events.push({ kind: 'turnEnded' })
    puppet.events.push({ kind: 'speechStarted', atMs: 2_500 })
    await house.run(100)
    puppet.events.push({ kind: 'toolCall', id: 't2', name: 'end_call', args: {} })
    await house.run(600)
    expect(puppet.results.at(-1)).toMatchObject({ id: 't2', result: { ok: false }, reply: false })
    expect(house.outcome).toBeUndefined()
  })

  it.each([
    ['fails', (puppet: Puppet) => puppet.events.push({ kind: 'failed', error: new Error('secret words') })],
    ['ends', (puppet: Puppet) => puppet.events.end()],
  ])('hands back with a stored word when it %s', async (_, happen) => {
    const { puppet, house } = await replying()
    happen(puppet)
    await house.run(2_000)
    expect(house.hertz).toEqual([440, 700, phraseHz.handingOver])
    expect(house.outcome).toEqual({ kind: 'handBack', reason: 'engine failed', message: 'failure' })
    expect(house.all('degraded')).toHaveLength(1)
    expect(JSON.stringify(house.facts)).not.toContain('secret')
  })

  it('hands back at once when there is nobody to say a word', async () => {
    const { puppet, house } = await replying({ reserve: false })
    puppet.events.end()
    await house.run(20)
    expect(house.outcome).toMatchObject({ kind: 'handBack' })
  })

  it('does not wait for ever for a reply that was promised', async () => {
    const { puppet, house } = await replying()
    await house.run(2_500)
    puppet.events.push({ kind: 'speechStarted', atMs: 5_500 })
    puppet.events.push({ kind: 'speechStopped', atMs: 6_000 })
    puppet.events.push({ kind: 'replying' })
    await house.run(toneSettings.stepMs + 1_000)
    expect(house.hertz).toEqual([440, 700, ...Array(3).fill(phraseHz.filler), phraseHz.handingOver])
    expect(house.outcome).toMatchObject({ kind: 'handBack' })
  })

  it('says that it did not understand when a reply has no sound, and tells the conversant that it did', async () => {
    const { puppet, house } = await replying()
    await house.run(2_500)
    puppet.events.push({ kind: 'speechStarted', atMs: 5_500 })
    puppet.events.push({ kind: 'speechStopped', atMs: 6_000 })
    puppet.events.push({ kind: 'replying' })
    puppet.events.push({ kind: 'turnEnded' })
    await house.run(500)
    expect(house.hertz.at(-1)).toBe(phraseHz.trouble)
    expect(puppet.log).toEqual([`told ${toneSettings.phrases.trouble}`])
    await house.hangUp()
  })

  it('has the conversant say what it keeps no sound of; when not even that has one, it is of no use any more', async () => {
    const { puppet, house } = await replying({ reserve: false })
    await house.run(2_500)
    puppet.events.push({ kind: 'speechStarted', atMs: 5_500 })
    puppet.events.push({ kind: 'speechStopped', atMs: 6_000 })
    puppet.events.push({ kind: 'replying' })
    puppet.events.push({ kind: 'turnEnded' })
    await house.run(100)
    expect(puppet.log).toEqual([`say ${toneSettings.phrases.trouble}`])
    puppet.events.push({ kind: 'replying' })
    puppet.events.push({ kind: 'turnEnded' })
    await house.run(1_000)
    expect(house.outcome).toMatchObject({ kind: 'handBack' })
  })
})
