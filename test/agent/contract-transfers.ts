import { describe, expect, it } from 'vitest'
import type { Business } from '../../src/business.ts'
import type { TransferOutcome } from '../../src/call/events.ts'
import { FRAME_MS } from '../../src/media/audio.ts'
import { toneLevelDb } from '../../src/media/tone.ts'
import { answering, type Engine, GREETED_MS, greeted, type Stage, type StageOptions, stage } from './contract-stage.ts'
import { phraseHz } from './house.ts'

const destinations = ['reception', 'billing'].map(name => ({
  name,
  address: 'sip:2000@192.0.2.10',
  mode: 'attended' as const,
}))
const business: Partial<Business> = { destinations, timeZone: 'America/New_York' }
const toBilling = { call: 'transfer', args: { destination: 'billing', reason: 'A question about a bill.' } }
/** The scripted reply to a transfer that has not come about: half of what the caller was told by ourselves. */
const toldHz = (phrase: 'notReached' | 'broughtBack') => phraseHz[phrase] / 2

/** The caller is away, and hears ringing. */
async function ringing(engine: Engine, options: StageOptions = {}): Promise<Stage> {
  const turns = [[{ say: '[tone 700 500ms]' }, toBilling]]
  const house = await greeted(engine, { turns, business, ...options })
  house.says(1_300)
  while (house.transfers.length === 0 && house.clock.now() < 10_000) await house.run(20)
  expect(house.transfers).toHaveLength(1)
  return house
}

/** Whether it rings in this stretch of the line, and nothing else is heard. */
function ringsIn(house: Stage, fromMs: number, toMs: number): boolean {
  const heard = house.line.heard(fromMs, toMs)
  return [440, 480].every(hz => toneLevelDb(heard, 8_000, hz) > -20)
}

/** From the last sound before it to the first after it. */
function gapMs(house: Stage, atMs: number): number {
  const frames = house.line.soundingFrames.map(frame => frame * FRAME_MS)
  return (
    (frames.find(ms => ms >= atMs) ?? Number.POSITIVE_INFINITY) - ((frames.findLast(ms => ms < atMs) ?? 0) + FRAME_MS)
  )
}

export function transfers(engine: Engine): void {
  describe('a transfer', () => {
    away(engine)
    back(engine)
    wishes(engine)
    briefings(engine)
    failures(engine)
    ends(engine)
  })
}

function away(engine: Engine): void {
  it('is the model’s to choose among the business’s destinations, and to nowhere else', async () => {
    const elsewhere = { call: 'transfer', args: { destination: 'sip:1@192.0.2.66', reason: 'Dial it.' } }
    const house = await greeted(engine, { turns: [[elsewhere]], business })
    house.says(1_300)
    await house.run(4_000)
    expect(house.transfers).toEqual([])
    expect(house.fact('toolRan')).toMatchObject({ tool: 'transfer', ok: false })
  })

  it('begins when its last words were heard, with ringing behind them', async () => {
    const house = await ringing(engine)
    expect(house.transfers[0]!.wish).toEqual({
      destination: 'billing',
      by: 'agent',
      reason: 'A question about a bill.',
    })
    expect(house.fact('agentSpoke')).toMatchObject({ ms: 500, complete: true })
    const atMs = house.line.playedMs
    await house.run(14_000)
    expect(gapMs(house, atMs + 40)).toBeLessThanOrEqual(60)
    expect(ringsIn(house, atMs + 100, atMs + 1_900)).toBe(true)
    expect(ringsIn(house, atMs + 6_200, atMs + 7_800)).toBe(true)
    expect(ringsIn(house, atMs + 3_000, atMs + 5_000)).toBe(false)
    // Nothing of it is anything that the agent has said.
    expect(house.all('agentSpoke')).toHaveLength(2)
    await house.hangUp()
  })

  it('leaves the caller alone: who speaks or is silent is neither answered nor asked', async () => {
    const house = await ringing(engine)
    const asked = house.asked.length
    for (let n = 0; n < 3; n++) {
      house.says(1_500)
      house.press('5')
      await house.run(10_000)
    }
    expect(house.asked).toHaveLength(asked)
    expect(house.all('agentSpoke')).toHaveLength(2)
    expect(house.all('callerSpoke')).toHaveLength(1)
    await house.hangUp()
  })

  it('lets the far end’s own sound be heard, and rings when it is over', async () => {
    const house = await ringing(engine)
    await house.run(1_000)
    house.transfers[0]!.party.ownSound(true)
    await house.run(400)
    const quietMs = house.line.playedMs
    await house.run(8_000)
    expect(house.line.soundingFrames.filter(frame => frame * FRAME_MS >= quietMs)).toEqual([])
    house.transfers[0]!.party.ownSound(false)
    await house.run(1_000)
    expect(ringsIn(house, quietMs + 8_100, quietMs + 8_900)).toBe(true)
    await house.hangUp()
  })

  it('does not begin when the caller interrupts its last words', async () => {
    const house = await answering(engine, [[{ say: '[tone 700 2500ms]' }, toBilling]], { business })
    house.says(1_500)
    await house.run(4_000)
    expect(house.transfers).toEqual([])
    expect(house.hertz).toEqual([440, 700, 750])
  })
}

const outcomes: readonly TransferOutcome[] = [
  'busy',
  'noAnswer',
  'rejected',
  'declined',
  'unreachable',
  'noPort',
  'failed',
]

function back(engine: Engine): void {
  it.each(outcomes)('that ends with %s leaves the caller with the agent, with sound at once', async outcome => {
    const house = await ringing(engine)
    await house.run(1_000)
    const atMs = house.line.playedMs
    house.transfers[0]!.settle(outcome)
    await house.run(3_000)
    expect(gapMs(house, atMs)).toBeLessThanOrEqual(100)
    expect(house.hertz.slice(-2)).toEqual([phraseHz.notReached, toldHz('notReached')])
    const told = house.asked.at(-1)!.at(-1)!
    expect(told).toMatchObject({ role: 'instruction', text: expect.stringContaining('transfer to billing is over') })
    house.says(1_500)
    await house.run(4_000)
    expect(house.hertz.at(-1)).toBe(750)
    await house.hangUp()
  })

  it('in the silence between two rings, too', async () => {
    const house = await ringing(engine)
    await house.run(3_500)
    const atMs = house.line.playedMs
    house.transfers[0]!.settle('busy')
    await house.run(3_000)
    expect(house.line.soundingFrames.find(frame => frame * FRAME_MS >= atMs)! * FRAME_MS - atMs).toBeLessThanOrEqual(
      100,
    )
    await house.hangUp()
  })

  it.each([
    ['the caller', (house: Stage) => house.press('*')],
    ['an operator', (house: Stage) => house.ask('back')],
  ])('is taken back by %s', async (_, wants) => {
    const house = await ringing(engine)
    await house.run(2_000)
    wants(house)
    expect(house.transfers[0]!.signal.aborted).toBe(true)
    await house.run(3_000)
    expect(house.hertz.slice(-2)).toEqual([phraseHz.broughtBack, toldHz('broughtBack')])
    await house.hangUp()
  })

  it('may be followed by another', async () => {
    const turns = [
      [{ say: '[tone 700 500ms]' }, toBilling],
      [{ say: '[tone 750 300ms]' }, toBilling],
    ]
    const house = await ringing(engine, { turns })
    house.transfers[0]!.settle('busy')
    await house.run(3_000)
    house.says(1_500)
    await house.run(4_000)
    expect(house.transfers).toHaveLength(2)
    house.transfers[1]!.settle('connected')
    await house.run(100)
    expect(house.outcome).toEqual({ kind: 'transferred' })
  })

  it('that has broken off is told to the caller and to the model', async () => {
    const house = stage(engine, { returned: true, business })
    await house.run(GREETED_MS)
    expect(house.hertz).toEqual([phraseHz.returned])
    house.says(1_300)
    await house.run(4_000)
    expect(house.asked.at(-1)![0]).toMatchObject({ text: expect.stringContaining('that broke off') })
    await house.hangUp()
  })
}

function wishes(engine: Engine): void {
  it('is a key’s, whatever is being said, and no digit of a number', async () => {
    const transfers = { keys: { '0': 'reception' } }
    const house = await answering(engine, [[{ say: '[tone 700 5000ms]' }]], { business: { ...business, transfers } })
    house.press('0')
    await house.run(4_000)
    expect(house.hertz).toEqual([440, 700, phraseHz.handingOver])
    expect(house.transfers[0]?.wish).toEqual({ destination: 'reception', by: 'key' })
    house.transfers[0]!.settle('busy')
    await house.run(3_000)
    house.press('40')
    await house.run(4_000)
    expect(house.transfers).toHaveLength(1)
    expect(house.all('callerSpoke').at(-1)?.private.text).toBe('[pressed 40]')
    await house.hangUp()
  })

  it('is an operator’s, whatever is being said', async () => {
    const house = await answering(engine, [[{ say: '[tone 700 5000ms]' }]], { business })
    house.ask({ destination: 'reception', by: 'operator' })
    await house.run(2_000)
    expect(house.hertz).toEqual([440, 700, phraseHz.handingOver])
    expect(house.transfers[0]?.wish).toEqual({ destination: 'reception', by: 'operator' })
    await house.hangUp()
  })
}

function briefings(engine: Engine): void {
  it('tells whoever answers who calls and why, and takes their key, while it rings for the caller', async () => {
    const house = await ringing(engine)
    const far = house.answersFar()
    await house.run(7_000)
    expect(far.line.soundingFrames.length).toBeGreaterThan(50)
    const atMs = house.line.playedMs
    expect(ringsIn(house, atMs - 900, atMs)).toBe(true)
    far.press('1')
    expect(await far.answer).toBe('accepted')
    await house.hangUp()
    expect({ attached: far.line.attached, streams: house.faults.openStreams, timers: house.clock.pending }).toEqual({
      attached: 0,
      streams: 0,
      timers: 0,
    })
  })
}

function failures(engine: Engine): void {
  const onFailure = { ...business, transfers: { onFailure: 'reception' } }
  const instead = { destination: 'reception', by: 'failure', mode: 'blind' }

  it.each(engine.parts.filter(part => part !== 'model' && part !== 'speaker'))(
    'takes the place of the fallback when the engine has failed, and the fallback its own: %s',
    async part => {
      const house = await greeted(engine, { business: onFailure })
      house.faults.break(part, 'fail')
      house.says(1_300)
      await house.run(4_000)
      expect(house.transfers.map(({ wish }) => wish)).toEqual([instead])
      house.transfers[0]!.settle('noAnswer')
      await house.run(3_000)
      expect(house.hertz).toContain(phraseHz.notReached)
      expect(house.outcome).toEqual({ kind: 'handBack', reason: 'engine failed', message: 'failure' })
    },
  )

  it.each(engine.parts.filter(part => part !== 'model'))('does so before the answer: %s', async part => {
    const house = stage(engine, { business: onFailure, faults: { [part]: 'fail' } })
    for (let ms = 0; ms < 20_000 && house.transfers.length === 0; ms += 100) await house.run(100)
    expect(house.transfers.map(({ wish }) => wish)).toEqual([instead])
    expect(house.answeredMs).toBeDefined()
    await house.run(1_000)
    expect(ringsIn(house, house.line.playedMs - 600, house.line.playedMs - 100)).toBe(true)
    house.transfers[0]!.settle('connected')
    await house.run(100)
    expect(house.outcome).toEqual({ kind: 'transferred' })
    await house.hangUp()
    expect({ attached: house.listeners, timers: house.clock.pending }).toEqual({ attached: 0, timers: 0 })
  })
}

function ends(engine: Engine): void {
  it('leaves nothing behind, whenever the caller hangs up', async () => {
    for (const atMs of [0, 250, 1_500, 3_000]) {
      const house = await ringing(engine)
      await house.run(atMs)
      if (atMs === 1_500) house.answersFar()
      if (atMs === 3_000) house.transfers[0]!.settle('busy')
      await house.run(300)
      await house.hangUp()
      expect({ attached: house.listeners, timers: house.clock.pending, streams: house.faults.openStreams }).toEqual({
        attached: 0,
        timers: 0,
        streams: 0,
      })
      expect(house.failures).toEqual([])
    }
  })

  it('is over with the caller at the destination', async () => {
    const house = await ringing(engine)
    house.transfers[0]!.settle('connected')
    await house.run(100)
    expect(house.outcome).toEqual({ kind: 'transferred' })
    expect({ attached: house.listeners, streams: house.faults.openStreams }).toEqual({ attached: 0, streams: 0 })
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })
}
