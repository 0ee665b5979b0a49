import { type Clock, pause } from '../../clock.ts'
import { asError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { callDetail, callList } from '../../server/schemas.ts'
import type { Api } from '../api.ts'

/** Words that the gateway's record holds: what the agent has said, and what it has heard the caller say. */
export interface RecordedWords {
  readonly by: 'agent' | 'caller'
  readonly text: string
}

/** The gateway closes its record a moment after the call. */
const CLOSED_WITHIN_MS = 1_000
const LOOK_MS = 50

/** Of the caller's audio, as it arrived at the gateway. */
export interface ArrivedFigures {
  readonly packets: number
  readonly lost: number
  readonly jitterMs: number
}

/** One call in the record of a gateway that may be another's, or not there at all: then this says once why it tells nothing. */
export class GatewayRecord {
  readonly #clock: Clock
  readonly #opening: Promise<Pick<Api, 'get' | 'address'>>
  readonly #callSid: string
  #id: string | undefined
  #told = 0
  #missing: string | undefined

  /** `callSid`: the parameter by which the call is found. */
  constructor(clock: Clock, opening: Promise<Pick<Api, 'get' | 'address'>>, callSid: string) {
    this.#clock = clock
    this.#opening = opening
    this.#callSid = callSid
    // Looked at when it is first needed.
    opening.catch(() => {})
  }

  /** Why nothing can be told. */
  get missing(): string | undefined {
    return this.#missing
  }

  /** What was said since this was last asked, in the order in which it was. */
  async news(): Promise<RecordedWords[]> {
    const detail = await this.#detail()
    const events = detail?.events.slice(this.#told) ?? []
    this.#told += events.length
    return events.flatMap(({ name, private: hidden }): RecordedWords[] => {
      const text = hidden?.['text']
      if (typeof text !== 'string' || text === '') return []
      if (name === 'agentSpoke') return [{ by: 'agent', text }]
      return name === 'callerSpoke' ? [{ by: 'caller', text }] : []
    })
  }

  /** All that is left, once the record is closed. */
  async lastNews(): Promise<RecordedWords[]> {
    const deadlineMs = this.#clock.now() + CLOSED_WITHIN_MS
    while (this.#clock.now() < deadlineMs) {
      const detail = await this.#detail()
      if (!detail || detail.state === 'ended') break
      await pause(this.#clock, LOOK_MS)
    }
    return await this.news()
  }

  async arrived(): Promise<ArrivedFigures | undefined> {
    return (await this.#detail())?.rtp?.received
  }

  async #detail() {
    if (this.#missing !== undefined) return undefined
    try {
      const api = await this.#opening
      this.#id ??= await this.#find(api)
      return await api.get(`/v1/calls/${encodeURIComponent(this.#id)}?private=true`, callDetail)
    } catch (error) {
      this.#missing = asError(error).message
      return undefined
    }
  }

  /** The newest, where several carry the same. */
  async #find(api: Pick<Api, 'get' | 'address'>): Promise<string> {
    const most = limits.media.lines + limits.call.endedKept
    const { calls } = await api.get(`/v1/calls?private=true&limit=${most}`, callList)
    const ours = calls.filter(call => call.private?.parameters['callSid'] === this.#callSid)
    const [newest] = ours.sort((a, b) => b.offeredAt.localeCompare(a.offeredAt))
    if (!newest) throw new Error(`The gateway at ${api.address} does not know this call.`)
    return newest.id
  }
}
