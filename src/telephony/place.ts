import { isCode } from '../errors.ts'
import type { Ari, AriBridge } from './ari.ts'

/**
 * What a caller hears: the bridge of their line, music, or the bridge of somebody who is being dialled. One request takes
 * the caller from one bridge to the other, so they are never in both; when its answer is lost, it is read back where they are.
 */
export class Place {
  readonly #ari: Ari
  readonly #channel: string
  #home: string | undefined
  #wanted: string | undefined
  /** As far as it is known. */
  #at: string | undefined
  #music = false
  /** One change after the other. */
  #turn: Promise<void> = Promise.resolve()

  constructor(ari: Ari, channel: string) {
    this.#ari = ari
    this.#channel = channel
  }

  /** The bridge of the line, into which the caller has been put. */
  settle(home: string): void {
    this.#home = home
    this.#wanted = home
    this.#at = home
  }

  /** Nowhere in our hands. */
  forsake(): void {
    this.#home = undefined
    this.#wanted = undefined
    this.#at = undefined
    this.#music = false
  }

  hear(what: { readonly bridge: string } | 'music' | 'line'): Promise<void> {
    return this.#inTurn(async () => {
      const bridge = typeof what === 'object' ? what.bridge : this.#home
      if (!bridge) return
      this.#wanted = bridge
      await this.#play(what === 'music')
      await this.#goTo(bridge)
    })
  }

  /** Music would go on wherever the channel is led. */
  endMusic(): Promise<void> {
    return this.#inTurn(() => this.#play(false))
  }

  /** That bridge is about to be no more. */
  leave(bridge: string): Promise<void> {
    return this.#wanted === bridge ? this.hear('line') : this.#turn
  }

  /** Their channel has come back from elsewhere, into no bridge. */
  restore(): Promise<void> {
    return this.#inTurn(async () => {
      this.#at = undefined
      this.#wanted = this.#home
      if (this.#home) await this.#goTo(this.#home)
    })
  }

  /** A request that was lost may have been carried out late. Where the books say otherwise than we, Asterisk is asked again. */
  async mend(bridges: readonly AriBridge[]): Promise<void> {
    if (!this.#wanted || bridgeOf(this.#channel, bridges) === this.#wanted) return
    await this.#inTurn(async () => {
      this.#at = await this.#whereabouts()
      if (this.#wanted) await this.#goTo(this.#wanted)
    })
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(change)
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #goTo(bridge: string): Promise<void> {
    if (this.#at === bridge) return
    try {
      await this.#move(bridge)
    } catch (error) {
      if (isCode(error, 'CHANNEL_GONE')) throw error
      this.#at = await this.#whereabouts()
      if (this.#at === bridge) return
      // Better with the agent than with nobody.
      this.#wanted = this.#home
      if (this.#home && this.#at !== this.#home) await this.#move(this.#home)
      throw error
    }
  }

  async #move(bridge: string): Promise<void> {
    await this.#ari.addToBridge(bridge, [this.#channel])
    this.#at = bridge
  }

  async #whereabouts(): Promise<string | undefined> {
    return bridgeOf(this.#channel, await this.#ari.bridges())
  }

  async #play(music: boolean): Promise<void> {
    if (this.#music === music) return
    // Also where the answer is lost it may have begun.
    this.#music = true
    if (music) return this.#ari.startMusic(this.#channel)
    await this.#ari.stopMusic(this.#channel)
    this.#music = false
  }
}

function bridgeOf(channel: string, bridges: readonly AriBridge[]): string | undefined {
  return bridges.find(({ channels }) => channels.includes(channel))?.id
}
