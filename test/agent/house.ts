import { type AgentSettings, defaultSettings } from '../../src/agent/settings.ts'
import { type Business, readBusiness } from '../../src/business.ts'
import { nothingKnown } from '../../src/call/caller-context.ts'
import type { CallFact, TransferOutcome } from '../../src/call/events.ts'
import type {
  CallRecorded,
  Handler,
  LiveCall,
  Outcome,
  Recorder,
  TransferParty,
  TransferWish,
} from '../../src/call/ports.ts'
import { word } from '../../src/caller/voice.ts'
import { pause } from '../../src/clock.ts'
import { GatewayError } from '../../src/errors.ts'
import { FRAME_MS, FRAME_SAMPLES, type Law } from '../../src/media/audio.ts'
import { Scope } from '../../src/scope.ts'
import { FakeLine } from '../support/fake-line.ts'
import { seeded } from '../support/random.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'

/** Every phrase of our own as a tone of its own, so that it is known by its sound. */
export const toneSettings: AgentSettings = {
  ...defaultSettings,
  phrases: {
    back: '[tone 480 300ms]',
    stillThere: '[tone 490 300ms]',
    goodbye: '[tone 510 300ms]',
    endingSoon: '[tone 520 300ms]',
    timeOver: '[tone 530 300ms]',
    trouble: '[tone 540 300ms]',
    handingOver: '[tone 560 300ms]',
    filler: '[tone 380 300ms]',
    fillerAgain: '[tone 380 300ms]',
    notReached: '[tone 620 300ms]',
    broughtBack: '[tone 640 300ms]',
    returned: '[tone 660 300ms]',
  },
}
export const phraseHz = {
  back: 480,
  stillThere: 490,
  goodbye: 510,
  endingSoon: 520,
  timeOver: 530,
  trouble: 540,
  handingOver: 560,
  filler: 380,
  notReached: 620,
  broughtBack: 640,
  returned: 660,
}
export const business = readBusiness({
  file: undefined,
  name: 'Test',
  phone: undefined,
  ownerPhone: undefined,
  engine: 'scripted',
})
const ANSWER_MS = 40

export interface HouseOptions {
  readonly caller?: LiveCall['caller']
  readonly takenOver?: boolean
  readonly greeting?: string
  readonly law?: Law
  /** The caller goes while they are being answered. */
  readonly goes?: boolean
  /** They were connected with somebody else before. */
  readonly returned?: boolean
  readonly again?: boolean
  readonly outbound?: boolean
  /** Of the other side. */
  readonly number?: string
  readonly business?: Partial<Business>
  /** Told before anything is recorded; left out: nothing is. */
  readonly announcement?: string
  readonly recorder?: Recorder
}

/** A transfer as the agent has asked for it, and what a test makes of it. */
export interface Transfer {
  readonly wish: TransferWish
  readonly party: TransferParty
  readonly signal: AbortSignal
  readonly beganMs: number
  settle(outcome: TransferOutcome): void
}

/** Who has answered there: a line of their own, keys, and what becomes of it. */
export interface Far {
  readonly line: FakeLine
  readonly answer: Promise<'accepted' | 'declined'>
  press(key: string): void
}

/** One call with a caller in virtual time. */
export class House {
  readonly clock: VirtualClock
  readonly line: FakeLine
  readonly facts: (CallFact & { readonly atMs: number })[] = []
  readonly failures: unknown[] = []
  readonly sentDigits: string[] = []
  readonly scope = new Scope('call', error => this.failures.push(error))
  outcome: Outcome | undefined
  thrown: unknown
  answeredMs: number | undefined
  announcedMs: number | undefined
  recordingStopped = false
  readonly #digits = new Set<(digit: string) => void>()
  readonly #holds = new Set<(held: boolean) => void>()
  readonly #askers = new Set<(asked: TransferWish | 'back') => boolean>()
  readonly transfers: Transfer[] = []
  readonly #random = seeded(7)
  readonly #options: HouseOptions

  constructor(clock: VirtualClock, options: HouseOptions = {}) {
    this.clock = clock
    this.line = new FakeLine(clock, options.law)
    this.#options = options
  }

  start(handler: Handler): this {
    this.scope.onClose(() => this.line.close())
    handler(this.#liveCall(), this.scope.child('agent')).then(
      outcome => {
        this.outcome = outcome
      },
      error => {
        this.thrown = error
      },
    )
    return this
  }

  run(ms: number): Promise<void> {
    return this.clock.run(ms)
  }

  /** The caller says a word of this length with this marker; returns when it begins. */
  says(markerHz: number, ms = 600): number {
    this.line.callerSays(word({ f0: 150, markerHz, ms, level: -20, random: this.#random }))
    return this.clock.now()
  }

  press(keys: string): void {
    for (const key of keys) for (const listener of this.#digits) listener(key)
  }

  hold(held: boolean): void {
    for (const listener of this.#holds) listener(held)
  }

  /** An operator does. */
  ask(asked: TransferWish | 'back'): void {
    for (const listener of [...this.#askers]) listener(asked)
  }

  /** Somebody takes the latest transfer up, and hears what the agent has to tell them. */
  answersFar(): Far {
    const { party, signal } = this.transfers.at(-1)!
    const line = new FakeLine(this.clock, this.line.law)
    this.scope.onClose(() => line.close())
    line.connect()
    const listeners = new Set<(digit: string) => void>()
    const onDigit = (listener: (digit: string) => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
    const answer = party.brief({ line, onDigit }, signal)
    answer.catch(() => {})
    return {
      line,
      answer,
      press: key => {
        for (const listener of [...listeners]) listener(key)
      },
    }
  }

  async hangUp(): Promise<void> {
    const closed = this.scope.close(new Error('The caller hung up.'))
    await this.clock.settle()
    // For what is bounded in time.
    await this.clock.run(1_000)
    await closed
  }

  /** The tones that the caller has heard, in order, to the frame. */
  get tones(): Tone[] {
    return tonesIn(this.line.heard())
  }

  get hertz(): number[] {
    return this.tones.map(({ hz }) => hz)
  }

  fact<N extends CallFact['name']>(name: N): (Extract<CallFact, { name: N }> & { readonly atMs: number }) | undefined {
    return this.all(name).at(-1)
  }

  all<N extends CallFact['name']>(name: N): (Extract<CallFact, { name: N }> & { readonly atMs: number })[] {
    return this.facts.filter(fact => fact.name === name) as never
  }

  get listeners(): number {
    return this.line.attached + this.#digits.size + this.#holds.size + this.#askers.size
  }

  /** Whoever is wanted back is given back at once. */
  #transfer(wish: TransferWish, party: TransferParty, signal: AbortSignal): Promise<TransferOutcome> {
    const { promise, resolve } = Promise.withResolvers<TransferOutcome>()
    this.transfers.push({ wish, party, signal, beganMs: this.clock.now(), settle: resolve })
    signal.addEventListener('abort', () => resolve('cancelled'), { once: true })
    return promise
  }

  #recorded(announcement: string): CallRecorded {
    return {
      announcement,
      announced: () => {
        this.announcedMs = this.clock.now()
      },
      stop: () => {
        this.recordingStopped = true
        return this.announcedMs !== undefined
      },
    }
  }

  #liveCall(): LiveCall {
    const {
      takenOver = false,
      goes = false,
      returned = false,
      again = false,
      outbound = false,
      number = '+15550100300',
      business: changes = {},
      greeting = '[tone 440 600ms]',
      caller = Promise.resolve(nothingKnown),
      announcement,
      recorder,
    } = this.#options
    return {
      ...(recorder && { recorder }),
      id: 'call-1',
      facts: {
        calledUser: 'bianca',
        requestUri: 'sip:bianca@192.0.2.1',
        parameters: {},
        headers: {},
        callerNumber: number,
        law: this.line.law,
      },
      business: { ...business, greeting, instructions: 'Be kind.', ...changes },
      caller,
      takenOver,
      returned,
      again,
      outbound,
      saidBefore: [],
      line: this.line,
      answer: async () => {
        await pause(this.clock, ANSWER_MS, this.scope.signal)
        if (goes) throw new GatewayError('CHANNEL_GONE', 'The call has ended.')
        this.answeredMs = this.clock.now()
        this.line.connect()
      },
      onDigit: listener => {
        this.#digits.add(listener)
        return () => this.#digits.delete(listener)
      },
      onHold: listener => {
        this.#holds.add(listener)
        return () => this.#holds.delete(listener)
      },
      transfer: (wish, party, signal) => this.#transfer(wish, party, signal),
      onTransferAsked: listener => {
        this.#askers.add(listener)
        return () => this.#askers.delete(listener)
      },
      sendDigits: async digits => {
        this.sentDigits.push(digits)
      },
      emit: fact => this.facts.push({ ...fact, atMs: this.clock.now() }),
      ...(announcement !== undefined && { recording: this.#recorded(announcement) }),
    }
  }
}

interface Tone {
  readonly hz: number
  readonly fromMs: number
  readonly toMs: number
}

/** Told by the zero crossings of each frame: cheap, and exact enough for pure tones. Shorter ones are edges. */
function tonesIn(samples: Int16Array): Tone[] {
  const found: Tone[] = []
  for (let at = 0; at < samples.length; at += FRAME_SAMPLES) {
    const hz = frequencyOf(samples.subarray(at, at + FRAME_SAMPLES))
    const fromMs = at / 8
    const last = found.at(-1)
    if (last && last.hz === hz && last.toMs === fromMs) found[found.length - 1] = { ...last, toMs: fromMs + FRAME_MS }
    else if (hz > 0) found.push({ hz, fromMs, toMs: fromMs + FRAME_MS })
  }
  return found.filter(({ fromMs, toMs }) => toMs - fromMs > 2 * FRAME_MS)
}

/** To 10 Hz; 0 for what is no tone. */
function frequencyOf(frame: Int16Array): number {
  const crossings: number[] = []
  let energy = 0
  for (let i = 1; i < frame.length; i++) {
    const [before, now] = [frame[i - 1]!, frame[i]!]
    energy += now * now
    if (before < 0 && now >= 0) crossings.push(i - now / (now - before))
  }
  const periods = crossings.length - 1
  if (periods < 4 || energy / frame.length < 1_000 ** 2) return 0
  const period = (crossings.at(-1)! - crossings[0]!) / periods
  const regular = crossings.every((at, i) => Math.abs(at - crossings[0]! - i * period) < 0.6)
  return regular ? 10 * Math.round(800 / period) : 0
}
