import { expect } from 'vitest'
import { defaultSettings, type TurnSettings } from '../../src/agent/settings.ts'
import { greeting, step } from '../../src/agent/turn.ts'
import { dueMs, type TurnEffect, type TurnEvent, type TurnState } from '../../src/agent/turn-state.ts'

export const settings = defaultSettings.turn

/** A conversation without anybody: time passes when told to, and due moments are met to the millisecond. */
export class Table {
  state: TurnState
  nowMs = 1_000
  readonly #settings: TurnSettings
  effects: TurnEffect[] = []

  constructor(changes: Partial<TurnSettings> = {}) {
    this.#settings = { ...settings, ...changes }
    this.state = greeting(this.nowMs, this.#settings)
  }

  on(event: TurnEvent): this {
    const [state, effects] = step(this.state, event, this.nowMs, this.#settings)
    this.state = state
    this.effects.push(...effects)
    return this
  }

  wait(ms: number): this {
    const untilMs = this.nowMs + ms
    while (dueMs(this.state) <= untilMs) {
      this.nowMs = Math.max(this.nowMs, dueMs(this.state))
      this.on({ kind: 'timePassed' })
    }
    this.nowMs = untilMs
    return this
  }

  voice(): this {
    return this.on({ kind: 'voiceStarted', atMs: this.nowMs })
  }

  silence(): this {
    return this.on({ kind: 'voiceStopped', atMs: this.nowMs })
  }

  words(text: string, final = false, startMs = this.nowMs - 100): this {
    return this.on({ kind: 'words', text, final, startMs })
  }

  /** Effects since this was last asked. */
  take(): string[] {
    const taken = this.effects.map(effect => ('phrase' in effect ? `${effect.kind} ${effect.phrase}` : effect.kind))
    this.effects = []
    return taken
  }

  get phase(): string {
    return this.state.phase
  }
}

export function listening(changes: Partial<TurnSettings> = {}): Table {
  return new Table(changes).on({ kind: 'agentStarted' }).on({ kind: 'agentQuiet', replying: false })
}

/** The caller has said "hello" and is silent. */
export function thinking(changes: Partial<TurnSettings> = {}): Table {
  const table = listening(changes).voice().wait(400).words('hello', true).silence().wait(settings.completeMs)
  expect(table.phase).toBe('thinking')
  table.take()
  return table
}

export function speaking(changes: Partial<TurnSettings> = {}): Table {
  const table = thinking(changes).wait(300).on({ kind: 'agentStarted' })
  expect(table.phase).toBe('speaking')
  table.take()
  return table
}
