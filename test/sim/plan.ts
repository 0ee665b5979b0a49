import type { AgentSettings } from '../../src/agent/settings.ts'
import { defaultSettings } from '../../src/agent/settings.ts'
import type { AudioFormat, Law } from '../../src/media/audio.ts'
import type { Step } from '../../src/providers/scripted/script.ts'
import type { Fault } from '../agent/faults.ts'
import { type Conditions, perfect } from '../support/virtual-network.ts'

/** All that will be random about one call, decided before it begins. */
export interface CallPlan {
  readonly id: string
  readonly arrivesMs: number
  readonly law: Law
  readonly takenOver: boolean
  /** It is no leg that anybody has announced. */
  readonly forged: boolean
  readonly conditions: Conditions
  readonly engine: EnginePlan
  readonly leg: LegPlan
  /** What the caller does, one after the other, once the call is answered. */
  readonly doings: readonly Doing[]
  /** The caller's patience, from the arrival on. */
  readonly leavesAfterMs: number
  /** Without a word: the packets stop, and the trunk notices some seconds later. */
  readonly vanishes: boolean
  readonly operatorAfterMs: number | undefined
  /** An operator wants the caller transferred, or back. */
  readonly asks: readonly { readonly afterMs: number; readonly what: 'transfer' | 'back' }[]
  /** Whoever is dialled, one after the other, and from the beginning again. */
  readonly fars: readonly FarPlan[]
  readonly hasOnFailure: boolean
  readonly hasMusic: boolean
}

export interface FarPlan {
  readonly dials: 'well' | 'rejected' | 'timesOut'
  readonly tookMs: number
  readonly ringsMs: number
  readonly ownSoundMs: number | undefined
  readonly ends: 'answers' | 'busy' | 'rejected' | 'noAnswer' | 'unreachable' | 'never'
  readonly endsMs: number
  /** To whoever tells them who calls. */
  readonly presses: '1' | '2' | undefined
  readonly pressesMs: number
  /** After the answer, unless they are with the caller by then. */
  readonly hangsUpMs: number | undefined
  readonly joins: 'joined' | 'otherGone' | 'timesOut'
  readonly talksMs: number
  readonly parts: 'hangsUp' | 'vanishes'
}

export interface EnginePlan {
  readonly variant: 'cascade' | 'conversant'
  readonly latencyMs: { readonly recognizer: number; readonly model: number; readonly speaker: number }
  readonly format: AudioFormat
  readonly turn: Partial<AgentSettings['turn']>
  readonly stepMs: number
  readonly readyMs: number
  readonly greetingMs: number
  readonly replies: readonly (readonly ReplyStep[])[]
  readonly faults: readonly PlannedFault[]
}

/** As the scripted model's, but the tone of what is said is the call's own. */
export type ReplyStep = { readonly sayMs: number } | Exclude<Step, { say: string }>

interface PlannedFault {
  readonly part: 'recognizer' | 'model' | 'speaker' | 'conversant'
  readonly fault: Fault
  readonly atMs: number
  readonly forMs: number
}

export type Operation = 'connect' | 'answer' | 'handBack' | 'hangup'

export type Trouble = 'rejected' | 'timesOut' | 'callerLeaves'

interface LegPlan {
  readonly tookMs: Readonly<Record<Operation | 'close', number>>
  readonly troubles: Readonly<Partial<Record<Operation, Trouble>>>
}

export type Doing =
  /** A word; when it answers, after the agent has fallen silent. */
  | { readonly kind: 'say'; readonly answers: boolean; readonly ms: number }
  | { readonly kind: 'cough'; readonly ms: number }
  | { readonly kind: 'wait' | 'mute' | 'hold'; readonly ms: number }
  | { readonly kind: 'press'; readonly keys: string }

const LONGEST_CALL_MS = 30_000

export class Chance {
  readonly random: () => number

  constructor(random: () => number) {
    this.random = random
  }

  of(share: number): boolean {
    return this.random() < share
  }

  between(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from))
  }

  /** In whole frames. */
  ms(from: number, to: number): number {
    return 20 * this.between(from / 20, to / 20)
  }

  one<T>(...from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)]!
  }

  many<T>(fewest: number, most: number, make: () => T): T[] {
    return Array.from({ length: this.between(fewest, most + 1) }, make)
  }
}

export function planCall(id: string, arrivesMs: number, chance: Chance): CallPlan {
  const leavesEarly = chance.of(0.15)
  const takenOver = chance.of(0.06)
  return {
    id,
    arrivesMs,
    law: chance.of(0.7) ? 'ulaw' : 'alaw',
    takenOver,
    forged: !takenOver && chance.of(0.08),
    conditions: planConditions(chance),
    engine: planEngine(chance),
    leg: planLeg(chance),
    doings: chance.many(1, 8, () => planDoing(chance)),
    leavesAfterMs: leavesEarly ? chance.between(0, 900) : 3_000 + (LONGEST_CALL_MS - 3_000) * chance.random() ** 3,
    vanishes: chance.of(0.1),
    operatorAfterMs: chance.of(0.06) ? chance.between(0, 12_000) : undefined,
    asks: chance.of(0.3) ? chance.many(1, 3, () => planAsk(chance)) : [],
    fars: chance.many(1, 3, () => planFar(chance)),
    hasOnFailure: chance.of(0.5),
    hasMusic: chance.of(0.2),
  }
}

function planAsk(chance: Chance): CallPlan['asks'][number] {
  return { afterMs: chance.between(500, 15_000), what: chance.one('transfer', 'transfer', 'back') }
}

function planFar(chance: Chance): FarPlan {
  const ringsMs = chance.between(20, 400)
  const endsMs = ringsMs + chance.between(10, chance.of(0.3) ? 300 : 6_000)
  return {
    dials: chance.of(0.9) ? 'well' : chance.one('rejected', 'timesOut'),
    tookMs: chance.between(5, 80),
    ringsMs,
    ownSoundMs: chance.of(0.25) ? ringsMs + chance.between(0, 1_000) : undefined,
    ends: chance.one('answers', 'answers', 'answers', 'busy', 'rejected', 'noAnswer', 'unreachable', 'never'),
    endsMs,
    presses: chance.one('1', '1', '2', undefined),
    pressesMs: chance.between(100, 6_000),
    hangsUpMs: chance.of(0.2) ? chance.between(5, 4_000) : undefined,
    joins: chance.of(0.85) ? 'joined' : chance.one('otherGone', 'timesOut'),
    talksMs: chance.between(200, 4_000),
    parts: chance.one('hangsUp', 'hangsUp', 'vanishes'),
  }
}

function planConditions(chance: Chance): Conditions {
  if (chance.of(0.5)) return { ...perfect, delayMs: chance.one(0, 0, 5) }
  return {
    delayMs: chance.between(0, 60),
    jitterMs: chance.between(0, 40),
    lostPerMille: chance.one(0, 5, 20, 50),
    doubledPerMille: chance.one(0, 0, 10),
  }
}

function planEngine(chance: Chance): EnginePlan {
  const slow = chance.of(0.2)
  return {
    variant: chance.one('cascade', 'conversant'),
    latencyMs: {
      recognizer: chance.between(0, slow ? 400 : 120),
      model: chance.between(0, slow ? 2_500 : 400),
      speaker: chance.between(0, slow ? 600 : 150),
    },
    format: chance.of(0.85)
      ? { encoding: chance.one('ulaw', 'alaw'), rate: 8_000 }
      : { encoding: 'pcm16', rate: chance.one(16_000, 24_000) },
    turn: {
      thinkMs: chance.between(4_000, 8_000),
      fillAfterMs: chance.between(800, 1_500),
      fillAgainMs: chance.between(2_000, 3_000),
      noInputMs: chance.one([3_000, 3_000, 3_000], [2_000, 2_000], [4_000, 3_000, 2_000]),
      ...(chance.of(0.1) ? { durationMs: 9_000, warnBeforeEndMs: 3_000 } : {}),
    },
    stepMs: chance.between(3_000, 4_500),
    readyMs: 3_000,
    greetingMs: chance.ms(200, 1_500),
    replies: chance.many(0, 6, () => planReply(chance)),
    faults: chance.of(0.2) ? chance.many(1, 2, () => planFault(chance)) : [],
  }
}

function planReply(chance: Chance): ReplyStep[] {
  const say = () => ({ sayMs: chance.ms(100, chance.of(0.15) ? 6_000 : 1_600) })
  const dice = chance.random()
  if (dice < 0.5) return [say()]
  if (dice < 0.58) return [say(), { waitMs: chance.between(50, 2_500) }, say()]
  if (dice < 0.73) {
    const call = chance.one('look_up', 'look_up_slowly', 'look_up_slowly', 'fail', 'get_stuck', 'book', 'unknown')
    return chance.of(0.5) ? [say(), { call }] : [{ call }]
  }
  if (dice < 0.77) return [say(), { call: 'end_call' }]
  if (dice < 0.95)
    return chance.of(0.7) ? [say(), { transferTo: chance.one(1, 2) }] : [{ transferTo: chance.one(1, 2) }]
  if (dice < 0.965) return ['fail']
  if (dice < 0.975) return [say(), 'fail']
  if (dice < 0.995) return ['stall']
  return []
}

function planFault(chance: Chance): PlannedFault {
  return {
    part: chance.one('recognizer', 'model', 'speaker', 'conversant'),
    fault: chance.one<Fault>('fail', 'fail', 'stall', 'hang', 'late'),
    atMs: chance.of(0.3) ? 0 : chance.between(0, 10_000),
    forMs: chance.one(500, 3_000, 60_000),
  }
}

function planLeg(chance: Chance): LegPlan {
  const slow = chance.of(0.1)
  const tookMs = () => chance.between(0, slow ? 1_500 : 60)
  const troubles: Partial<Record<Operation, Trouble>> = {}
  for (const operation of ['connect', 'answer', 'handBack', 'hangup'] as const) {
    if (chance.of(0.05)) troubles[operation] = chance.one<Trouble>('rejected', 'timesOut', 'callerLeaves')
  }
  return {
    tookMs: { connect: tookMs(), answer: tookMs(), handBack: tookMs(), hangup: tookMs(), close: 10 + tookMs() },
    troubles,
  }
}

function planDoing(chance: Chance): Doing {
  const dice = chance.random()
  if (dice < 0.45) return { kind: 'say', answers: true, ms: chance.one(460, 600, 760) }
  if (dice < 0.6) return { kind: 'say', answers: false, ms: chance.one(460, 600, 760) }
  if (dice < 0.7) return { kind: 'cough', ms: chance.ms(60, 260) }
  if (dice < 0.8) return { kind: 'wait', ms: chance.between(200, 5_000) }
  if (dice < 0.87) return { kind: 'mute', ms: chance.between(100, 3_000) }
  if (dice < 0.9) return { kind: 'hold', ms: chance.between(100, 2_000) }
  return { kind: 'press', keys: chance.many(1, 4, () => chance.one(...'0123456789*#')).join('') }
}

/** Everything that the agent says of its own accord is the call's own tone, each phrase of another length. */
export function settingsOf({ turn, stepMs, readyMs }: EnginePlan, toneHz: number): AgentSettings {
  const tone = (ms: number) => `[tone ${toneHz} ${ms}ms]`
  return {
    turn: { ...defaultSettings.turn, ...turn },
    phrases: {
      back: tone(320),
      stillThere: tone(340),
      goodbye: tone(360),
      endingSoon: tone(380),
      timeOver: tone(420),
      trouble: tone(440),
      handingOver: tone(460),
      filler: tone(FILLER_MS),
      fillerAgain: tone(FILLER_MS),
      notReached: tone(480),
      broughtBack: tone(500),
      returned: tone(520),
    },
    stepMs,
    readyMs,
    greetAfterMs: defaultSettings.greetAfterMs,
  }
}

export const FILLER_MS = 260
