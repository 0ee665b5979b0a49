import type { Ending } from '../../../src/caller/session.ts'
import { converse, type Happening, type Phone, type Plan } from '../../../src/commands/call/conversation.ts'
import { Ear } from '../../../src/commands/call/ear.ts'
import { toneGenerator } from '../../../src/media/tone.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** So long an agent speaks, from so long after the moment it is told of. */
interface Sounds {
  readonly inMs: number
  readonly forMs: number
}

/** A callee in virtual time: answers, and sounds when a test says so. */
export class FakePhone implements Phone {
  readonly clock = new VirtualClock()
  readonly happened: Happening[] = []
  readonly #answered = Promise.withResolvers<Awaited<Phone['answered']>>()
  readonly #ended = Promise.withResolvers<Ending>()
  readonly answered = this.#answered.promise
  readonly ended = this.#ended.promise
  readonly #tone = toneGenerator(8_000, 440, -16)
  readonly #sounding: { fromMs: number; toMs: number }[] = []
  readonly #ear = new Ear()
  #over = false
  #cut = () => {}
  /** What the agent does whenever the caller has finished. */
  reply: Sounds | undefined
  packetsCome = true

  answer(setUpMs = 100): void {
    const audio = { address: '192.0.2.1', port: 9, laws: [], digitsPayloadType: 101, direction: 'sendrecv' } as const
    const atMs = this.clock.now()
    const answer = { status: 200, setUpMs, atMs, audio: { ...audio, ptimeMs: 20 }, contact: 'sip:x' }
    this.#answered.resolve({ kind: 'answered', ...answer })
    this.#tick(0)
  }

  refuse(status: number, reason: string): void {
    this.#answered.resolve({ kind: 'refused', status, reason, afterMs: 5 })
  }

  sounds({ inMs, forMs }: Sounds): void {
    const fromMs = this.clock.now() + inMs
    this.#sounding.push({ fromMs, toMs: fromMs + forMs })
  }

  /** In the middle of whatever it says. */
  fallsSilentIn(ms: number): void {
    const toMs = this.clock.now() + ms
    for (const each of this.#sounding) each.toMs = Math.min(each.toMs, toMs)
  }

  hold(plan: Partial<Plan>): Promise<void> {
    const tell = (happening: Happening) => void this.happened.push(happening)
    return converse({ clock: this.clock, tell }, this, this.#ear, { turns: [], hangupAfterMs: undefined, ...plan })
  }

  play(samples: Int16Array): Promise<'sent' | 'cut'> {
    return this.#sending(Math.ceil(samples.length / 160) * 20)
  }

  digits(digits: string): Promise<'sent' | 'cut'> {
    return this.#sending(180 * digits.length)
  }

  hangup(by: Ending['by'] = 'caller'): Promise<Ending> {
    this.#over = true
    this.#answered.resolve({ kind: 'refused', status: 487, reason: 'Request Terminated', afterMs: 5 })
    this.#cut()
    this.#ended.resolve({ by, how: 'bye', reason: '', atMs: this.clock.now() })
    return this.ended
  }

  spokenUntilMs(): number {
    return this.clock.now()
  }

  #sending(ms: number): Promise<'sent' | 'cut'> {
    const { promise, resolve } = Promise.withResolvers<'sent' | 'cut'>()
    this.#cut = () => resolve('cut')
    this.clock.after(ms, () => {
      if (this.reply) this.sounds(this.reply)
      resolve('sent')
    })
    return promise
  }

  #tick(positionMs: number): void {
    if (this.#over) return
    const arrivedMs = this.clock.now()
    const isSounding = this.#sounding.some(each => each.fromMs <= arrivedMs && each.toMs > arrivedMs)
    const samples = new Int16Array(160)
    if (isSounding) this.#tone(samples)
    if (this.packetsCome) this.#ear.write({ positionMs, arrivedMs, samples })
    this.clock.after(20, () => this.#tick(positionMs + 20))
  }
}
