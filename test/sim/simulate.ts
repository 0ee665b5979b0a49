import { type Business, type BusinessDefaults, judgeChoice } from '../../src/business.ts'
import { Admission } from '../../src/call/admission.ts'
import type { CallEvent } from '../../src/call/events.ts'
import { Exchange } from '../../src/call/exchange.ts'
import type { Handler, JudgeLeg } from '../../src/call/ports.ts'
import { pause } from '../../src/clock.ts'
import { Wheel } from '../../src/media/wheel.ts'
import { Scope } from '../../src/scope.ts'
import { seeded } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { VirtualNetwork } from '../support/virtual-network.ts'
import { SimCaller } from './caller.ts'
import { CountedClock } from './counted-clock.ts'
import { type Engine, planEngine } from './engine.ts'
import { MediaThread } from './media-thread.ts'
import { type CallPlan, Chance, planCall } from './plan.ts'
import { checkRecord } from './record.ts'
import { type Voice, voices } from './sounds.ts'
import { SimTelephony } from './telephony.ts'

export interface Simulated {
  readonly log: readonly string[]
  /** Each names the seed and the call. */
  readonly problems: readonly string[]
  readonly figures: Readonly<Record<string, number>>
  readonly virtualMs: number
}

/** Room for eleven calls at once. */
const ASTERISK_PORTS = { start: 10_000, end: 10_049 }
/** Some of the gateway's own lie within those, and are passed over. */
const GATEWAY_PORTS = { first: 10_040, count: 150 }
const STEP_MS = 100
const DRAIN_MS = 4_000
const LONGEST_DRAIN_MS = 60_000
const STRANGER_MS = 700
const RING_MS = 5_000

/** So many random calls on one gateway, in virtual time; the same seed gives the same log. */
export async function simulate(seed: number, calls: number): Promise<Simulated> {
  const house = new House(seed)
  const unhandled = (error: unknown) =>
    house.blame('house', `nobody handled: ${error instanceof Error ? error.stack : error}`)
  process.on('unhandledRejection', unhandled)
  try {
    await house.run(calls)
  } finally {
    process.off('unhandledRejection', unhandled)
  }
  return house.result()
}

function businessOf(choice: unknown, defaults: BusinessDefaults): Business {
  const judged = judgeChoice(choice, defaults)
  if ('problems' in judged) throw new Error(judged.problems.join())
  return judged.business
}

class House {
  readonly #seed: number
  readonly #clock = new VirtualClock()
  /** For the calls' own timers: nothing else may set one here. */
  readonly #callClock = new CountedClock(this.#clock)
  readonly #chance: Chance
  readonly #log: string[] = []
  readonly #problems: string[] = []
  readonly #events = new Map<string, CallEvent[]>()
  readonly #callers = new Map<string, SimCaller>()
  readonly #engines = new Map<string, Engine>()
  readonly #callOfPort = new Map<number, string>()
  readonly #free: Voice[] = [...voices]
  readonly #waiting: ((voice: Voice) => void)[] = []
  readonly #scope = new Scope('house', (error, scope) => this.blame(scope, `could not be released: ${error}`))
  readonly #network: VirtualNetwork
  readonly #telephony: SimTelephony
  readonly #thread: MediaThread
  readonly #admission: Admission
  readonly #exchange: Exchange
  readonly #wheel: Wheel
  readonly #business: Business
  #offering: { plan: CallPlan; toneHz: number } | undefined
  #seatsBefore = 0
  #deaths = 0

  constructor(seed: number) {
    this.#seed = seed
    const clock = this.#clock
    const random = seeded(seed)
    this.#chance = new Chance(random)
    this.#network = new VirtualNetwork(clock, random, undefined, GATEWAY_PORTS.first, GATEWAY_PORTS.count)
    this.#telephony = new SimTelephony(clock, this.#network, ASTERISK_PORTS, port => this.#thread.ledger(port))
    this.#admission = new Admission(ASTERISK_PORTS, undefined, () => this.#telephony.outsiders)
    this.#thread = new MediaThread({
      clock,
      random,
      openSocket: this.#network.openSocket,
      forbiddenPorts: ASTERISK_PORTS,
      messageMs: this.#chance.one(0, 0.2, 3),
      blame: (port, message) => this.blame(this.#callOfPort.get(port) ?? `port ${port}`, message),
    })
    this.#wheel = new Wheel(clock)
    const defaults = {
      file: undefined,
      name: 'House',
      phone: undefined,
      ownerPhone: undefined,
      engine: 'scripted',
    } as const
    const destinations = ['first', 'second'].map(name => ({ name, address: `sip:${name}@192.0.2.10` }))
    const keys = { '7': 'second' }
    const choice = { name: 'House', timeZone: 'Asia/Tokyo', destinations, transfers: { keys } }
    this.#business = businessOf(choice, defaults)
    const engineOfCall: Handler = (call, scope) => this.#engines.get(call.id)!.handler(call, scope)
    this.#exchange = new Exchange({
      clock: this.#callClock,
      scope: this.#scope,
      telephony: this.#telephony,
      plane: this.#thread.plane,
      admission: this.#admission,
      addressee: () => ({ business: this.#businessOfOffered() }),
      judge: () => this.#judge(),
      transfers: {
        route: (_business, name) => ({ target: { dial: name }, callerId: { number: '+15550100200' } }),
        ringMs: RING_MS,
      },
      handlers: { realtime: engineOfCall, local: engineOfCall, scripted: engineOfCall },
      observe: event => this.#observe(event),
    })
  }

  async run(calls: number): Promise<void> {
    const plans = this.#plan(calls)
    let arrived = 0
    for (const plan of plans) void this.#arrive(plan).then(() => arrived++)
    const stopStrangers = this.#strangers()
    if (this.#chance.of(0.5)) this.#clock.after(plans.at(-1)!.arrivesMs / 2, () => this.#killThread())
    const drainFromMs = plans.at(-1)!.arrivesMs - this.#chance.between(0, 3_000)
    // However long the calls take to come: it is what comes after them that must not last.
    while (this.#clock.now() < drainFromMs) await this.#clock.run(STEP_MS)
    let drained = false
    void this.#exchange.drain(DRAIN_MS).then(() => {
      drained = true
      const { length } = this.#exchange.live
      if (length > 0) this.blame('house', `${length} calls outlived the drain`)
    })
    await this.#until(() => drained && arrived === calls)
    stopStrangers()
    let closed = false
    void this.#scope.close().then(() => {
      closed = true
    })
    await this.#until(() => closed)
    if (this.#callClock.pending > 0) this.blame('house', `${this.#callClock.pending} timers of calls outlived them`)
    // What is still on its way arrives, and what must still give up does.
    await this.#clock.run(10_000)
    this.#checkNothingIsLeft()
    await this.#thread.plane.close()
    for (const caller of this.#callers.values()) this.#checkCall(caller)
  }

  result(): Simulated {
    const count = (name: string) => [...this.#events.values()].flat().filter(({ fact }) => fact.name === name).length
    const names = [...new Set([...this.#events.values()].flat().map(({ fact }) => fact.name))].sort()
    const figures = Object.fromEntries(names.map(name => [name, count(name)]))
    return { log: this.#log, problems: this.#problems, figures, virtualMs: this.#clock.now() }
  }

  blame(call: string, message: string): void {
    const problem = `seed ${this.#seed}, ${call}: ${message}`
    // What goes wrong fifty times a second is told once.
    if (this.#problems.includes(problem)) return
    this.#note(call, `PROBLEM ${message}`)
    this.#problems.push(problem)
  }

  #note(call: string, what: string): void {
    this.#log.push(`${this.#clock.now().toFixed(3)} ${call} ${what}`)
  }

  #plan(calls: number): CallPlan[] {
    const chance = this.#chance
    let arrivesMs = 0
    return Array.from({ length: calls }, (_, n) => {
      // Now and then several at once.
      if (!chance.of(0.3)) arrivesMs += chance.between(0, 2_200)
      return planCall(`c${n}`, arrivesMs, chance)
    })
  }

  async #arrive(plan: CallPlan): Promise<void> {
    await pause(this.#clock, plan.arrivesMs)
    const voice = this.#free.shift() ?? (await new Promise<Voice>(resolve => this.#waiting.push(resolve)))
    const caller = this.#caller(plan, voice)
    this.#callers.set(plan.id, caller)
    const clock = new CountedClock(this.#clock)
    this.#engines.set(plan.id, planEngine(plan.engine, voice.toneHz, clock))
    this.#offering = { plan, toneHz: voice.toneHz }
    this.#note(plan.id, `arrives ${JSON.stringify(plan)}`)
    const leg = this.#telephony.offer(plan, caller, this.#chance.random)
    caller.begin(leg)
    const operator = plan.asks.map(({ afterMs, what }) => {
      const asked = what === 'back' ? what : ({ destination: 'first', by: 'operator' } as const)
      return this.#clock.after(afterMs, () => this.#exchange.find(plan.id)?.askTransfer(asked))
    })
    if (plan.operatorAfterMs !== undefined) {
      operator.push(this.#clock.after(plan.operatorAfterMs, () => this.#exchange.find(plan.id)?.hangUp('operator')))
    }
    await this.#exchange.find(plan.id)?.ended
    for (const leaveAlone of operator) leaveAlone()
    // A part that is planned to go on when nobody wants it any more has timers of its own.
    const late = plan.engine.faults.some(({ fault }) => fault === 'late')
    if (clock.pending > 0 && !late) this.blame(plan.id, `${clock.pending} timers of its agent are left`)
    // What is on its way until then is still of this voice.
    await pause(this.#clock, 1_000)
    const next = this.#waiting.shift()
    if (next) next(voice)
    else this.#free.push(voice)
  }

  #caller(plan: CallPlan, voice: Voice): SimCaller {
    return new SimCaller(plan, {
      clock: this.#clock,
      random: this.#chance.random,
      wheel: this.#wheel,
      voice,
      ledger: port => {
        this.#callOfPort.set(port, plan.id)
        return this.#thread.ledger(port)
      },
      note: what => this.#note(plan.id, what),
      blame: message => this.blame(plan.id, message),
    })
  }

  #businessOfOffered(): Business {
    const { plan, toneHz } = this.#offering!
    const [first, second] = this.#business.destinations
    return {
      ...this.#business,
      greeting: `[tone ${toneHz} ${plan.engine.greetingMs}ms]`,
      destinations: [first!, { ...second!, mode: 'attended' }],
      transfers: {
        ...this.#business.transfers,
        ...(plan.hasOnFailure && { onFailure: 'first' }),
        ...(plan.hasMusic && { waiting: 'music' }),
      },
    }
  }

  #judge(): ReturnType<JudgeLeg> {
    this.#seatsBefore = this.#admission.figures.calls
    return this.#offering!.plan.forged ? { kind: 'forged', why: 'It carries no token.' } : { kind: 'plain' }
  }

  #observe(event: CallEvent): void {
    const forged = event.fact.name === 'refused' && event.fact.reason === 'forged'
    if (forged && this.#admission.figures.calls !== this.#seatsBefore) this.blame(event.call, 'forged, and has a seat')
    const events = this.#events.get(event.call) ?? []
    this.#events.set(event.call, events)
    events.push(event)
    this.#note(event.call, JSON.stringify(event.fact))
  }

  /** Packets from nowhere, which look as good as any, to whatever line is open. */
  #strangers(): () => void {
    const socket = this.#network.bind({ received: () => {}, failed: () => {} }, { port: 9_999 })
    const packet = Uint8Array.from({ length: 172 }, (_, i) => (i === 0 ? 0x80 : i < 12 ? i : 0x10 + (i % 16)))
    let stopped = false
    const send = () => {
      if (stopped) return socket.close()
      const ports = this.#thread.openPorts
      if (ports.length > 0) {
        socket.send(packet, { address: '127.0.0.1', port: this.#chance.one(...ports) })
      }
      this.#clock.after(STRANGER_MS, send)
    }
    send()
    return () => {
      stopped = true
    }
  }

  #killThread(): void {
    this.#note('house', 'the media thread dies')
    this.#deaths += 1
    this.#thread.die()
  }

  async #until(condition: () => boolean): Promise<void> {
    const patientUntilMs = this.#clock.now() + LONGEST_DRAIN_MS + 120_000
    while (!condition()) {
      if (this.#clock.now() > patientUntilMs) return this.blame('house', 'it does not come to an end')
      await this.#clock.run(STEP_MS)
    }
  }

  #checkNothingIsLeft(): void {
    const { calls, pairsUsed } = this.#admission.figures
    const { mostPairsUsed, mostMade, pairs } = this.#telephony
    if (mostPairsUsed > pairs) this.blame('house', `${mostPairsUsed} callers wanted ports and ${pairs} got them`)
    if (mostMade > pairs) this.blame('house', `${mostMade} media channels on ${pairs} port pairs: the PBX has crashed`)
    const left: Record<string, number> = {
      timers: this.#clock.pending,
      sockets: this.#network.openSockets,
      lines: this.#thread.lineCount,
      'lines held': this.#thread.plane.lineCount,
      calls,
      'port pairs': pairsUsed,
      'live calls': this.#exchange.live.length,
      'media channels': this.#telephony.made,
      'callers in the fallback': this.#telephony.outsiders,
      senders: this.#wheel.memberCount,
    }
    for (const [what, count] of Object.entries(left)) if (count !== 0) this.blame('house', `${count} ${what} are left`)
  }

  #checkCall(caller: SimCaller): void {
    const { id, engine } = caller.plan
    const events = this.#events.get(id) ?? []
    checkRecord(caller, events, message => this.blame(id, message))
    const { openStreams } = this.#engines.get(id)!.faults
    const deaf = engine.faults.some(({ fault }) => fault === 'hang')
    if (openStreams > 0 && !deaf) this.blame(id, `${openStreams} streams of its engine are still read`)
    if (!caller.leg?.closed) this.blame(id, 'its leg was never closed')
  }
}
