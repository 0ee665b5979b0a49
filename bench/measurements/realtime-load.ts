import type { Manner } from '../conversation/turn-taker.ts'
import { type TurnTimes, turnTimes } from '../conversation/turn-times.ts'
import { House } from '../house/house.ts'
import type { Usage } from '../house/processors.ts'
import { Provider } from '../house/provider.ts'
import type { Turns } from '../programs/caller.ts'
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
      return new RealtimeHouse(house, provider, manner, tls, await house.idle())
    } catch (error) {
      await provider[Symbol.asyncDispose]()
      throw error
    }
  }

  async add(count: number): Promise<void> {
    await this.#house.add(count, this.#manner)
    this.#calls += count
  }

  async talk(seconds: number): Promise<RealtimeFigures> {
    await this.#provider.ask('turns')
    const ask = { seconds, manner: this.#manner }
    const carried = await this.#house.during(echoPort => this.#house.caller.ask('takeTurns', { ...ask, echoPort }))
    return {
      ...carried,
      calls: this.#calls,
      tls: this.#tls,
      times: turnTimes(carried.talk.turns, await this.#provider.ask('turns')),
      problems: await this.#provider.ask('problems'),
      idle: this.#idle,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#house.caller.ask('hangUp').catch(() => {})
    await this.#house[Symbol.asyncDispose]()
    await this.#provider[Symbol.asyncDispose]()
  }
}
