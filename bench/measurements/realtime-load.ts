import { pause, systemClock } from '../../src/clock.ts'
import type { Manner } from '../conversation/turn-taker.ts'
import { type TurnTimes, turnTimes } from '../conversation/turn-times.ts'
import { House } from '../house/house.ts'
import type { Usage } from '../house/processors.ts'
import { Provider } from '../house/provider.ts'
import type { Turns } from '../programs/caller.ts'
import { percentiles } from '../report/percentiles.ts'
import type { Conditions } from '../report/row.ts'

/** What so many calls came to that talk with the realtime engine. */
export interface RealtimeFigures {
  readonly calls: number
  readonly tls: boolean
  readonly talk: Turns
  readonly times: TurnTimes
  readonly problems: readonly string[]
  /** Without a call, and with all of them. */
  readonly idle: Usage
  readonly busy: Usage
  readonly conditions: Conditions
}

const CALL_EVERY_MS = 40
/** For what is done once, and for a greeting to be heard. */
const SETTLE_MS = 2_000
const IDLE_MS = 2_000

/** A house with the realtime engine and its provider; calls come and stay. */
export class RealtimeHouse implements AsyncDisposable {
  readonly #house: House
  readonly #provider: Provider
  readonly #manner: Manner
  readonly #tls: boolean
  readonly #idle: Usage
  #calls = 0

  private constructor(house: House, provider: Provider, manner: Manner, tls: boolean, idle: Usage) {
    this.#house = house
    this.#provider = provider
    this.#manner = manner
    this.#tls = tls
    this.#idle = idle
  }

  static async open(manner: Manner, tls: boolean): Promise<RealtimeHouse> {
    const provider = await Provider.open({ tls, replyMs: manner.replyMs })
    try {
      const house = await House.open(provider.surroundings)
      const stopWatching = house.watch()
      await pause(systemClock, IDLE_MS)
      return new RealtimeHouse(house, provider, manner, tls, stopWatching())
    } catch (error) {
      await provider[Symbol.asyncDispose]()
      throw error
    }
  }

  async add(count: number): Promise<void> {
    const { caller, sipPort } = this.#house
    await caller.ask('open', { sipPort, replyMs: this.#manner.replyMs, count, everyMs: CALL_EVERY_MS })
    this.#calls += count
    await pause(systemClock, SETTLE_MS)
  }

  async talk(seconds: number): Promise<RealtimeFigures> {
    const { caller, echo } = this.#house
    const echoPort = await echo.ask('port')
    await this.#provider.ask('turns')
    const stopWatching = this.#house.watch()
    const talk = await caller.ask('takeTurns', { seconds, manner: this.#manner, echoPort })
    const busy = stopWatching()
    return {
      calls: this.#calls,
      tls: this.#tls,
      talk,
      times: turnTimes(talk.turns, await this.#provider.ask('turns')),
      problems: await this.#provider.ask('problems'),
      idle: this.#idle,
      busy,
      conditions: {
        ...busy,
        echoMs: percentiles(talk.echoMs),
        callerLateMs: percentiles(talk.callerLateMs),
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#house.caller.ask('hangUp').catch(() => {})
    await this.#house[Symbol.asyncDispose]()
    await this.#provider[Symbol.asyncDispose]()
  }
}
