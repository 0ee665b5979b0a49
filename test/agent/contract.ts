import { describe, expect, it } from 'vitest'
import type { Message } from '../../src/agent/ports.ts'
import type { CallerContext } from '../../src/call/ports.ts'
import { FRAME_MS } from '../../src/media/audio.ts'
import { Sounds } from '../../src/providers/scripted/sounds.ts'
import { seeded } from '../support/random.ts'
import { clicks, throughLine, tones } from '../support/sounds.ts'
import { answering, type Engine, GREETED_MS, greeted, type Stage, stage } from './contract-stage.ts'
import { transfers } from './contract-transfers.ts'
import { business, type House, phraseHz, toneSettings } from './house.ts'

const FOREVER_MS = 60_000

/** What every engine owes a caller, in virtual time. */
export function agentContract(name: string, engine: Engine): void {
  describe(`${name}: the contract of an agent`, () => {
    greetings(engine)
    turns(engine)
    interruptions(engine)
    tools(engine)
    endings(engine)
    transfers(engine)
    failures(engine)
    leftovers(engine)
  })
}

const what = { what: 'tables' }

function greetings(engine: Engine): void {
  it('has its model know who calls, also when that is known only while the call is being opened', async () => {
    const { promise: caller, resolve } = Promise.withResolvers<CallerContext>()
    const house = stage(engine, { caller, turns: [[{ say: '[tone 700 400ms]' }]] })
    await house.run(300)
    resolve({ name: 'Ada Byron', records: { insurance: 'private' } })
    await house.run(GREETED_MS)
    house.says(1_300)
    await house.run(3_000)
    const [instructions] = house.asked.at(-1)!
    expect(instructions).toMatchObject({ role: 'instruction', text: expect.stringContaining('"Ada Byron"') })
    expect(instructions).toMatchObject({ text: expect.stringContaining('"insurance": "private"') })
    expect(house.hertz).toEqual([440, 700])
    await house.hangUp()
  })

  it('greets whole, after the answer and never before', async () => {
    const house = stage(engine)
    await house.run(2_000)
    expect(house.line.spokenTooEarly).toBe(0)
    expect(house.tones).toMatchObject([{ hz: 440 }])
    // Until then a far end may not have heard that it was answered.
    expect(house.tones[0]!.fromMs).toBeGreaterThanOrEqual(toneSettings.greetAfterMs - FRAME_MS)
    expect(toneSettings.greetAfterMs).toBeGreaterThanOrEqual(150)
    expect(soundingSamples(house, 0)).toEqual(rendered('[tone 440 600ms]'))
    expect(house.fact('agentSpoke')).toMatchObject({ ms: 600, complete: true, private: { text: '[tone 440 600ms]' } })
  })

  it('does not keep a caller waiting who was answered in an earlier life', async () => {
    const house = stage(engine, { takenOver: true })
    await house.run(1_000)
    expect(house.hertz).toEqual([phraseHz.back])
  })

  it('says to whomever it has called what the business says then, and else what it always says', async () => {
    const outbound = { ...business.outbound, greeting: '[tone 900 600ms]' }
    const saying = async (more: object) => {
      const house = stage(engine, more)
      await house.run(2_000)
      await house.hangUp()
      return house.hertz
    }
    expect(await saying({ outbound: true, business: { outbound } })).toEqual([900])
    expect(await saying({ outbound: true })).toEqual([440])
    expect(await saying({ business: { outbound } })).toEqual([440])
  })

  it('is interrupted in its greeting as anywhere else', async () => {
    const house = stage(engine, { greeting: '[tone 440 5000ms]' })
    await house.run(1_000)
    house.says(1_500)
    await house.run(3_500)
    expect(house.hertz).toEqual([440, 750])
  })
}

function turns(engine: Engine): void {
  it.each(['ulaw', 'alaw'] as const)('hears a turn and answers it: %s', async law => {
    const house = await greeted(engine, { law })
    house.says(1_300)
    await house.run(4_000)
    expect(house.hertz).toEqual([440, 650])
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1300'])
    const answered = house.fact('turnAnswered')!
    expect(answered.thinkMs).toBeGreaterThanOrEqual(0)
    expect(answered.pauseMs + answered.thinkMs).toBeLessThan(1_500)
    house.says(1_500)
    await house.run(4_000)
    expect(house.hertz).toEqual([440, 650, 750])
    expect(rolesAndTexts(house.asked.at(-1)!)).toEqual([
      'agent [tone 440 600ms]',
      'caller tone 1300',
      'agent [tone 650 800ms]',
      'caller tone 1500',
    ])
  })

  it('hears keys, and answers them', async () => {
    const house = await greeted(engine)
    house.press('42')
    await house.run(4_000)
    expect(house.hertz).toEqual([440, 1_200, 1_100])
  })

  it('asks a silent caller, and takes its leave of one who stays silent', async () => {
    const house = await greeted(engine)
    await house.run(40_000)
    expect(house.hertz).toEqual([440, phraseHz.stillThere, phraseHz.stillThere, phraseHz.goodbye])
    expect(house.outcome).toEqual({ kind: 'hangup' })
  })

  it('asks nobody who has put us on hold', async () => {
    const house = await greeted(engine)
    house.hold(true)
    await house.run(30_000)
    expect(house.hertz).toEqual([440])
    house.hold(false)
    house.says(1_300)
    await house.run(4_000)
    expect(house.hertz).toEqual([440, 650])
  })

  it('tells that the time is nearly over, and ends in time', async () => {
    const turn = { ...toneSettings.turn, durationMs: 12_000, warnBeforeEndMs: 6_000, noInputMs: [60_000] }
    const house = stage(engine, { settings: { ...toneSettings, turn } })
    await house.run(14_000)
    expect(house.hertz).toEqual([440, phraseHz.endingSoon, phraseHz.timeOver])
    expect(house.outcome).toEqual({ kind: 'hangup' })
  })
}

const sentence = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'

function interruptions(engine: Engine): void {
  it('falls silent at once, stops there, and remembers what was heard', async () => {
    const house = await answering(engine, [[{ say: sentence }]])
    house.says(1_500)
    const wordMs = house.line.playedMs
    await house.run(4_000)
    const silentFrom = pausedAtFrame(house)
    expect(silentFrom * 20 - wordMs).toBeLessThanOrEqual(300)
    const [reply] = house.tones.slice(-1)
    // From the pause to the next reply not one frame of the old one leaves.
    const between = house.line.soundingFrames.filter(frame => frame >= silentFrom && frame * 20 < reply!.fromMs - 20)
    expect(between).toEqual([])
    expect(reply?.hz).toBe(750)

    const spoke = house.all('agentSpoke')[1]!
    expect(spoke.complete).toBe(false)
    expect(house.fact('agentInterrupted')?.ms).toBe(spoke.ms)
    expectHeard(spoke.private.text, spoke.ms)
    expect(house.asked.at(-1)).toContainEqual({ role: 'agent', text: spoke.private.text, interrupted: true })
    expect(JSON.stringify(house.asked.at(-1))).not.toContain('fifteen')
  })

  it('goes on at the very sample when it was none', async () => {
    // A word that nobody recognizes is no more than a noise.
    const house = await answering(engine, [[{ say: '[tone 700 3000ms]' }]])
    house.line.callerSays(voiceLike(260))
    await house.run(6_000)
    expect(house.all('agentPaused')).toHaveLength(1)
    expect(house.all('agentResumed')).toHaveLength(1)
    expect(house.all('agentInterrupted')).toEqual([])
    expect(soundingSamples(house, GREETED_MS)).toEqual(rendered('[tone 700 3000ms]'))
    expect(house.fact('agentSpoke')).toMatchObject({ ms: 3_000, complete: true })
  })

  it('is not interrupted by clicks and keypad tones', async () => {
    const house = await answering(engine, [[{ say: '[tone 700 4000ms]' }]])
    const random = seeded(3)
    for (const sound of [clicks(200, random), tones(120, [770, 1_336], random), clicks(300, random)]) {
      house.line.callerSays(throughLine(sound.map(sample => sample * 6_000)))
      await house.run(700)
    }
    await house.run(4_000)
    expect(house.all('agentInterrupted')).toEqual([])
    expect(house.fact('agentSpoke')).toMatchObject({ ms: 4_000, complete: true })
  })

  it('is interrupted by a word of 400 ms', async () => {
    const house = await answering(engine, [[{ say: '[tone 700 4000ms]' }]])
    house.says(1_500, 400)
    await house.run(3_000)
    expect(house.all('agentInterrupted')).toHaveLength(1)
    expect(house.hertz).toEqual([440, 700, 750])
  })

  it('is interrupted by a key at once', async () => {
    const house = await answering(engine, [[{ say: '[tone 700 4000ms]' }]])
    const frame = house.line.playedMs / 20
    house.press('1')
    await house.run(3_000)
    expect(house.line.soundingFrames.find(each => each >= frame)).toBeGreaterThan(frame + 40)
    expect(house.hertz).toEqual([440, 700, 1_050])
  })

  it('takes what a caller says before the reply as one turn', async () => {
    const house = await greeted(engine, { turns: [[{ waitMs: 700 }, { say: '[tone 700 400ms]' }]] })
    house.says(1_300, 500)
    await house.run(1_000)
    house.says(1_500, 500)
    await house.run(5_000)
    const last = house.asked.at(-1)!
    expect(
      last
        .filter(({ role }) => role === 'caller')
        .map(each => 'text' in each && each.text)
        .join(' '),
    ).toBe('tone 1300 tone 1500')
    expect(last.some(each => each.role === 'agent' && each.text.includes('700'))).toBe(false)
  })
}

/** Where the playout was paused: the first silent frame after sound that follows the caller's word. */
function pausedAtFrame(house: House): number {
  const pausedMs = house.all('agentPaused').at(-1)!.atMs
  // Frames leave before what is heard in the same 20 ms is looked at.
  return Math.floor((pausedMs - house.answeredMs!) / 20)
}

/** All that was heard since then, without the silence around it. */
function soundingSamples(house: House, sinceMs: number): Int16Array {
  const frames = house.line.soundingFrames.filter(frame => frame * 20 >= sinceMs)
  return Int16Array.from(frames.flatMap(frame => [...house.line.heard(frame * 20, frame * 20 + 20)]))
}

function rendered(text: string): Int16Array {
  const bytes = new Sounds({ encoding: 'pcm16', rate: 8_000 }).render(text)
  return throughLine(Float64Array.from(new Int16Array(bytes.buffer)))
}

/** Words of 65 ms a letter and a space: what was heard is what there was time for, to a word. */
function expectHeard(text: string, ms: number): void {
  expect(sentence.startsWith(text)).toBe(true)
  expect(Math.abs(text.length * 65 - ms)).toBeLessThan(12 * 65)
}

function tools(engine: Engine): void {
  it('runs a tool with valid arguments and speaks about the result', async () => {
    const house = await greeted(engine, { turns: [[{ call: 'look_up', args: what }]] })
    house.says(1_300)
    await house.run(4_000)
    expect(house.toolRuns).toEqual([{ name: 'look_up', args: what }])
    expect(house.fact('toolRan')).toMatchObject({ tool: 'look_up', ok: true, tookMs: 50 })
    expect(house.hertz).toEqual([440, 550])
    const called = house.asked.at(-1)!.slice(-2)
    expect(called).toMatchObject([{ role: 'toolCall' }, { role: 'toolResult', result: { ok: true, value: 'found' } }])
  })

  it.each([
    ['wrong arguments', { call: 'look_up', args: { what: 7 } }],
    ['no such tool', { call: 'unheard_of', args: {} }],
    ['too slow', { call: 'never_ready', args: what }],
  ])('tells a failure in words: %s', async (_, call) => {
    const house = await greeted(engine, { turns: [[call]] })
    house.says(1_300)
    await house.run(12_000)
    expect(house.hertz).toContain(450)
    const result = house.asked.at(-1)!.at(-1)
    expect(result).toMatchObject({ role: 'toolResult', result: { ok: false, problem: expect.any(String) } })
  })

  it('bridges the time of a slow one; the filler is no part of the conversation', async () => {
    const house = await greeted(engine, { turns: [[{ call: 'look_up_slowly', args: what }]] })
    house.says(1_300)
    await house.run(8_000)
    expect([...new Set(house.hertz)]).toEqual([440, phraseHz.filler, 550])
    expect(house.hertz.at(-1)).toBe(550)
    expect(house.all('agentSpoke').map(fact => fact.private.text)).not.toContain(toneSettings.phrases.filler)
    house.says(1_500)
    await house.run(3_000)
    expect(JSON.stringify(house.asked.at(-1))).not.toContain('380')
  })

  it('is interrupted while a slow one runs', async () => {
    const house = await greeted(engine, {
      turns: [[{ say: '[tone 700 300ms]' }, { call: 'look_up_slowly', args: what }]],
    })
    house.says(1_300)
    await house.run(4_200)
    house.says(1_500)
    await house.run(6_000)
    expect(house.hertz.filter(hz => hz !== phraseHz.filler)).toEqual([440, 700, 750])
  })

  it('runs one that changes something once, and keeps what it did, whatever the caller does', async () => {
    for (let atMs = 0; atMs <= 2_000; atMs += 200) {
      const house = await greeted(engine, { turns: [[{ call: 'book', args: what }, { say: '[tone 700 300ms]' }]] })
      house.says(1_300)
      await house.run(600 + atMs)
      house.says(1_500)
      await house.run(8_000)
      const last = house.asked.at(-1)!
      const booked = house.toolRuns.length
      expect(booked).toBeLessThanOrEqual(1)
      const results = last.filter(({ role }) => role === 'toolResult')
      expect(last.filter(({ role }) => role === 'toolCall')).toHaveLength(results.length)
      expect(results.filter(each => JSON.stringify(each).includes('booked'))).toHaveLength(booked)
      await house.hangUp()
    }
  })
}

function endings(engine: Engine): void {
  it.each([
    ['hangs up', 'end_call', { kind: 'hangup' }],
    ['hands over', 'hand_over', { kind: 'handBack', reason: 'asked for a person' }],
  ])('%s when its last words were heard', async (_, call, outcome) => {
    const house = await greeted(engine, { turns: [[{ say: '[tone 700 900ms]' }, { call }]] })
    house.says(1_300)
    while (!house.outcome && house.clock.now() < 10_000) await house.run(20)
    expect(house.outcome).toEqual(outcome)
    expect(house.hertz).toEqual([440, 700])
    expect(house.fact('agentSpoke')).toMatchObject({ ms: 900, complete: true })
  })

  it('says goodbye itself when the model does not', async () => {
    const house = await greeted(engine, { turns: [[{ call: 'end_call' }]] })
    house.says(1_300)
    await house.run(6_000)
    expect(house.hertz).toEqual([440, phraseHz.goodbye])
    expect(house.outcome).toEqual({ kind: 'hangup' })
  })

  it('does not let a transfer be talked into', async () => {
    const house = await answering(engine, [[{ say: '[tone 700 2500ms]' }, { call: 'hand_over' }]])
    house.says(1_500)
    await house.run(4_000)
    expect(house.outcome).toMatchObject({ kind: 'handBack' })
    expect(house.fact('agentSpoke')).toMatchObject({ ms: 2_500, complete: true })
  })
}

/** The caller is never left in silence: a sound comes, or somebody else takes over. */
async function expectNoSilence(house: Stage, { silenceMs }: Engine): Promise<void> {
  const sinceMs = house.line.playedMs
  for (let waited = 0; waited < FOREVER_MS && !house.outcome; waited += 500) await house.run(500)
  const sounds = house.line.soundingFrames.filter(frame => frame * 20 >= sinceMs)
  const quietMs = [sinceMs, ...sounds.map(frame => frame * 20)].map(
    (ms, i, all) => (all[i + 1] ?? house.line.playedMs) - ms,
  )
  expect(Math.max(...quietMs)).toBeLessThanOrEqual(silenceMs)
  if (house.outcome) expect(house.outcome).toMatchObject({ kind: expect.stringMatching(/handBack|hangup/) })
}

function failures(engine: Engine): void {
  const broken = engine.parts.flatMap(part => (['fail', 'stall', 'hang'] as const).map(fault => [part, fault] as const))

  it.each(broken)('leaves no silence before the answer: %s, %s', async (part, fault) => {
    const house = stage(engine, { faults: { [part]: fault } })
    await house.run(20_000)
    if (house.answeredMs === undefined)
      expect(house.outcome).toEqual({ kind: 'handBack', reason: 'engine failed', message: 'failure' })
    else await expectNoSilence(house, engine)
    await house.hangUp()
  })

  it.each(broken)('leaves no silence in a turn: %s, %s', async (part, fault) => {
    const house = await greeted(engine)
    house.faults.break(part, fault)
    house.says(1_300)
    await house.run(800)
    await expectNoSilence(house, engine)
    expect(house.fact('degraded') ?? house.outcome).toBeDefined()
    await house.hangUp()
  })

  it.each(broken)('leaves no silence in the middle of a reply: %s, %s', async (part, fault) => {
    const reply = [{ say: '[tone 700 1500ms]. ' }, { waitMs: 500 }, { say: '[tone 750 500ms]' }]
    const house = await answering(engine, [reply, reply, reply])
    house.faults.break(part, fault)
    await house.run(2_000)
    house.says(1_500)
    await house.run(800)
    await expectNoSilence(house, engine)
    await house.hangUp()
  })

  it.each(engine.parts.filter(part => part === 'speaker'))('drops what comes late: %s', async part => {
    const house = await answering(engine, [[{ say: '[tone 700 2000ms]. [tone 950 2000ms]' }]])
    house.faults.break(part, 'late')
    house.says(1_500)
    await house.run(6_000)
    expect(house.hertz).toEqual([440, 700, 750])
  })
}

function leftovers(engine: Engine): void {
  it('leaves nothing behind, whenever the caller hangs up', async () => {
    const reply = [{ say: '[tone 700 400ms]. ' }, { call: 'look_up_slowly', args: what }]
    for (let atMs = 0; atMs < 9_000; atMs += 230) {
      const house = stage(engine, { turns: [reply] })
      await house.run(Math.min(atMs, GREETED_MS))
      if (atMs > GREETED_MS) {
        house.says(1_300)
        await house.run(atMs - GREETED_MS)
      }
      await house.hangUp()
      expect({
        atMs,
        timers: house.clock.pending,
        attached: house.listeners,
        streams: house.faults.openStreams,
      }).toEqual({
        atMs,
        timers: 0,
        attached: 0,
        streams: 0,
      })
      expect(house.outcome).toBeUndefined()
      expect(house.failures).toEqual([])
    }
  })

  it('leaves nothing behind when it ends the call itself', async () => {
    const house = await greeted(engine, { turns: [[{ call: 'end_call' }]] })
    house.says(1_300)
    await house.run(6_000)
    expect(house.outcome).toEqual({ kind: 'hangup' })
    expect({ attached: house.listeners, streams: house.faults.openStreams }).toEqual({ attached: 0, streams: 0 })
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it('records what was said last by both, also when the caller hangs up in the middle of it', async () => {
    const house = await answering(engine, [[{ say: sentence }]])
    await house.hangUp()
    const { ms, complete, ...spoke } = house.fact('agentSpoke')!
    expect(complete).toBe(false)
    expectHeard(spoke.private.text, ms)
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1300'])
  })
}

function rolesAndTexts(messages: readonly Message[]): string[] {
  return messages
    .filter(({ role }) => role !== 'instruction')
    .map(each => `${each.role} ${'text' in each ? each.text : ''}`)
}

function voiceLike(ms: number): Int16Array {
  return throughLine(tones(ms, [150, 300, 450, 600, 750, 900], seeded(5)).map(sample => sample * 3_000))
}
