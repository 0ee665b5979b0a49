import { describe, expect, it } from 'vitest'
import { type MessageMeans, messageHandler, withMessages } from '../../src/agent/message.ts'
import type { Speaker } from '../../src/agent/ports.ts'
import { limits } from '../../src/limits.ts'
import { toneLevelDb } from '../../src/media/tone.ts'
import { scriptedEngine } from '../../src/providers/scripted/engine.ts'
import { inTurn, type Step } from '../../src/providers/scripted/script.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { FakeRecorder } from '../support/fake-recorder.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { business, House, type HouseOptions, phraseHz, toneSettings } from './house.ts'

const [greetingHz, toneHz, thanksHz, excuseHz] = [700, 1_000, 800, 900]
const voicemail = {
  ...business.voicemail,
  greeting: `[tone ${greetingHz} 600ms]`,
  thanks: `[tone ${thanksHz} 300ms]`,
  maxSeconds: 20,
}
const telephone = { ...business.telephone, excuse: `[tone ${excuseHz} 300ms]` }

interface Options extends HouseOptions {
  readonly steps?: readonly (readonly Step[])[]
  readonly means?: (clock: VirtualClock) => Partial<MessageMeans>
}

class MessageHouse extends House {
  readonly recorder: FakeRecorder
  readonly dropped: string[] = []

  constructor({ steps, means, ...options }: Options = {}, by?: 'closed') {
    const clock = new VirtualClock()
    const recorder = new FakeRecorder()
    super(clock, { recorder, ...options, business: { voicemail, telephone, ...options.business } })
    this.recorder = recorder
    const speaker = scriptedSpeaker({ clock, format: { encoding: 'ulaw', rate: 8_000 }, latencyMs: 20 })
    const all: MessageMeans = {
      clock,
      speakers: () => [speaker],
      told: async () => {},
      drop: async recording => void this.dropped.push(recording),
      onFailure: true,
      ...means?.(clock),
    }
    const engine = scriptedEngine({ clock, settings: toneSettings, ...(steps && { script: inTurn(steps) }) })
    this.start(by ? messageHandler(all, by) : withMessages(engine, all))
  }

  /** Until the tone was heard. */
  async isAsked(): Promise<this> {
    while (this.recorder.kept.length === 0 && this.clock.now() < 60_000) await this.run(20)
    expect(this.recorder.kept).toHaveLength(1)
    return this
  }

  get message() {
    return this.recorder.kept[0]!
  }
}

/** A failing engine: nothing of what it says can be made. */
const fails: readonly (readonly Step[])[] = [['fail'], ['fail'], ['fail']]

describe('a caller who would rather leave a message', () => {
  const steps: readonly (readonly Step[])[] = [[{ say: '[tone 600 400ms]' }, { call: 'take_voicemail' }]]

  it('is asked for it by the agent’s tool, after its last words', async () => {
    const house = new MessageHouse({ steps })
    await house.run(1_500)
    house.says(1_200)
    await house.isAsked()
    expect(house.hertz).toEqual([440, 600, greetingHz, toneHz])
    const tone = house.tones.at(-1)!
    expect(tone.toMs - tone.fromMs).toBe(limits.recording.voicemail.toneMs)
    expect(house.fact('messageAsked')).toMatchObject({ by: 'agent' })
    await house.run(500)
    house.says(1_300, 2_000)
    await house.run(20_000)
    // Silence ended it; it was told before the thanks were heard.
    const left = house.fact('voicemailLeft')!
    const { id } = house.message.wanted
    expect(left).toMatchObject({ by: 'agent', ended: 'silence', private: { recording: id } })
    expect(left.private.callerNumber).toBe('+15550100300')
    expect(Math.abs(left.seconds - 7.5)).toBeLessThanOrEqual(0.5)
    expect(id).toMatch(/^[\w-]{22}$/)
    expect(house.message.wanted).toMatchObject({ sides: 'caller', by: 'agent', mostMs: 20_000 })
    const [thanks] = house.tones.filter(({ hz }) => hz === thanksHz)
    expect(thanks!.fromMs + house.answeredMs!).toBeGreaterThanOrEqual(left.atMs)
    // What they said is there, and their marker.
    expect(toneLevelDb(house.message.samples.subarray(6_000, 16_000), 8_000, 1_300)).toBeGreaterThan(-40)
    expect(house.outcome).toEqual({ kind: 'hangup' })
    expect(house.listeners).toBe(0)
    expect(house.dropped).toEqual([])
  })

  it('is asked at once when the model has no last words', async () => {
    const house = new MessageHouse({ steps: [[{ call: 'take_voicemail' }]] })
    await house.run(1_500)
    house.says(1_200)
    await house.isAsked()
    expect(house.hertz).not.toContain(phraseHz.handingOver)
  })

  it('is left to the fallback where nothing can be recorded', async () => {
    const house = new MessageHouse({ steps, recorder: undefined as never })
    await house.run(1_500)
    house.says(1_200)
    await house.run(5_000)
    expect(house.outcome).toMatchObject({ kind: 'handBack' })
    expect(house.all('messageAsked')).toEqual([])
  })
})

describe('a caller outside the hours', () => {
  it('hears ringing until there is something to be heard, and then all of it', async () => {
    const house = await new MessageHouse({}, 'closed').isAsked()
    expect(house.answeredMs).toBeGreaterThanOrEqual(20)
    expect(house.line.spokenTooEarly).toBe(0)
    expect(house.hertz).toEqual([greetingHz, toneHz])
    expect(house.tones[0]!.toMs - house.tones[0]!.fromMs).toBeGreaterThanOrEqual(580)
    expect(house.fact('messageAsked')).toMatchObject({ by: 'closed' })
  })

  it('ends the greeting by the key, and the message', async () => {
    const house = new MessageHouse({}, 'closed')
    await house.run(500)
    house.press('1#')
    await house.isAsked()
    expect(house.tones[0]!.toMs - house.tones[0]!.fromMs).toBeLessThan(300)
    expect(house.hertz).toEqual([greetingHz, toneHz])
    house.says(1_300, 2_000)
    await house.run(2_500)
    house.press('2')
    await house.run(500)
    expect(house.all('voicemailLeft')).toEqual([])
    house.press('#')
    await house.run(2_000)
    expect(house.fact('voicemailLeft')).toMatchObject({ by: 'closed', ended: 'key', seconds: 3 })
    expect(house.outcome).toEqual({ kind: 'hangup' })
  })

  it('speaks no longer than the limit', async () => {
    const house = await new MessageHouse({}, 'closed').isAsked()
    house.says(1_300, 30_000)
    await house.run(22_000)
    expect(house.fact('voicemailLeft')).toMatchObject({ ended: 'limit', seconds: 20 })
    expect(house.hertz.at(-1)).toBe(thanksHz)
  })

  it('hangs up in the middle of it: all of it is kept before the call has ended', async () => {
    const house = await new MessageHouse({}, 'closed').isAsked()
    house.says(1_300, 5_000)
    await house.run(2_000)
    await house.hangUp()
    expect(house.fact('voicemailLeft')).toMatchObject({ ended: 'hungUp', seconds: 2 })
    expect(house.message.why).toBe('callEnded')
    expect(house.listeners).toBe(0)
    expect(house.clock.pending).toBe(0)
    expect(house.failures).toEqual([])
  })

  it('says nothing: nothing is told, and nothing stays', async () => {
    const house = await new MessageHouse({}, 'closed').isAsked()
    await house.run(10_000)
    expect(house.all('voicemailLeft')).toEqual([])
    expect(house.dropped).toEqual([house.message.wanted.id])
    expect(house.outcome).toEqual({ kind: 'hangup' })
    const gone = new MessageHouse({}, 'closed')
    await gone.run(500)
    await gone.hangUp()
    expect(gone.recorder.kept).toEqual([])
    expect(gone.all('voicemailLeft')).toEqual([])
    expect(gone.clock.pending).toBe(0)
  })

  it('hears an excuse where the disk is full, or what was told does not reach it', async () => {
    const full = await new MessageHouse({}, 'closed').isAsked()
    full.says(1_300, 3_000)
    await full.run(2_000)
    void full.message.end('diskFull')
    await full.run(1_500)
    expect(full.fact('voicemailLeft')).toMatchObject({ ended: 'cut', seconds: 2 })
    expect(full.hertz.slice(2)).toEqual([excuseHz])
    const slow = new MessageHouse({ means: () => ({ told: () => new Promise(() => {}) }) }, 'closed')
    await slow.isAsked()
    slow.says(1_300, 2_000)
    await slow.run(2_500)
    slow.press('#')
    await slow.run(limits.recording.voicemail.keepMs + 1_500)
    expect(slow.hertz.slice(2)).toEqual([excuseHz])
    expect(slow.outcome).toEqual({ kind: 'hangup' })
  })

  const broken: Speaker = {
    format: { encoding: 'ulaw', rate: 8_000 },
    // biome-ignore lint/correctness/useYield: it has nothing to give
    async *speak() {
      throw new Error('no')
    },
  }

  it('hears the next speaker from the beginning when one fails in the middle', async () => {
    const house = new MessageHouse(
      {
        means: clock => {
          const format = { encoding: 'ulaw', rate: 8_000 } as const
          const whole = scriptedSpeaker({ clock, format, latencyMs: 20 })
          const half: Speaker = {
            format,
            async *speak(text, signal) {
              for await (const piece of whole.speak(text, signal)) {
                yield piece
                throw new Error('no')
              }
            },
          }
          return { speakers: () => [half, whole] }
        },
      },
      'closed',
    )
    await house.isAsked()
    expect(house.hertz.filter(hz => hz !== toneHz).every(hz => hz === greetingHz)).toBe(true)
    const last = house.tones.filter(({ hz }) => hz === greetingHz).at(-1)!
    expect(last.toMs - last.fromMs).toBeGreaterThanOrEqual(580)
    expect(house.fact('degraded')).toMatchObject({ code: 'ENGINE_FAILED' })
  })

  it('is left to the fallback, unanswered, where nobody can say what they are to do', async () => {
    const house = new MessageHouse({ means: () => ({ speakers: () => [broken] }) }, 'closed')
    await house.run(1_000)
    expect(house.outcome).toEqual({ kind: 'handBack', reason: 'nobody could ask for a message' })
    expect(house.answeredMs).toBeUndefined()
    expect(house.listeners).toBe(0)
    const silent = new MessageHouse({ means: () => ({ speakers: () => [] }) }, 'closed')
    await silent.run(1_000)
    expect(silent.outcome).toMatchObject({ kind: 'handBack' })
  })
})

describe('a caller whose engine has failed', () => {
  async function failed(options: Options = {}): Promise<MessageHouse> {
    const house = new MessageHouse({ steps: fails, ...options })
    await house.run(1_500)
    for (let turn = 0; turn < fails.length; turn++) {
      house.says(1_200)
      await house.run(3_500)
    }
    return house
  }

  it('is asked for a message', async () => {
    const house = await failed()
    await house.isAsked()
    expect(house.hertz.slice(-3)).toEqual([phraseHz.handingOver, greetingHz, toneHz])
    house.says(1_300, 2_000)
    await house.run(10_000)
    expect(house.fact('voicemailLeft')).toMatchObject({ by: 'failure', ended: 'silence' })
    expect(house.outcome).toEqual({ kind: 'hangup' })
  })

  it('is left to the fallback where the business wants that, or it has somebody for them', async () => {
    const settled = { kind: 'handBack', reason: 'engine failed', message: 'failure' }
    const unwanted = await failed({ business: { voicemail: { ...voicemail, onFailure: false } } })
    const elsewhere = await failed({ means: () => ({ onFailure: false }) })
    for (const house of [unwanted, elsewhere]) {
      await house.run(2_000)
      expect(house.outcome).toMatchObject(settled)
      expect(house.all('messageAsked')).toEqual([])
    }
  })
})
