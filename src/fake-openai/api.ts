import { type Clock, pause } from '../clock.ts'
import { scriptedModel } from '../providers/scripted/model.ts'
import { answerTones, type Script } from '../providers/scripted/script.ts'
import type { Client } from './client.ts'
import { type OpenEars, openEars } from './ears.ts'
import { Faults } from './faults.ts'
import { Session } from './session.ts'
import { type Kind, realKind } from './settings.ts'

export interface FakeOptions {
  readonly clock: Clock
  readonly script?: Script
  readonly kind?: Partial<Kind>
  /** The only one that is accepted; undefined: any, or none. */
  readonly apiKey?: string
  readonly modelMs?: number
  readonly transcriptionMs?: number
  /** Instead of its own: for a load in which understanding everybody would cost more than what is measured. */
  readonly openEars?: OpenEars
}

export interface Request {
  readonly url: URL
  readonly authorization: string | undefined
}

export interface Refused {
  readonly status: number
  readonly retryAfter?: string | undefined
}

/** Sessions kept to be looked at. */
const KEPT = 1_000

/** The Realtime API without a network, a model or a price: deterministic, and as strict as the real one. */
export class FakeOpenAi {
  readonly faults = new Faults()
  readonly sessions: Session[] = []
  readonly #options: FakeOptions
  readonly #kind: Kind
  readonly #model
  #ids = 0

  constructor(options: FakeOptions) {
    const { clock, script = answerTones, modelMs = 100 } = options
    this.#options = options
    this.#kind = { ...realKind, ...options.kind }
    this.#model = scriptedModel({ clock, script, latencyMs: modelMs })
  }

  /** Why there will be no session, if so. */
  refusal({ url, authorization }: Request): Refused | undefined {
    const fault = this.faults.take('connect')
    if (fault) return { status: fault.status, retryAfter: fault.retryAfter }
    const { apiKey } = this.#options
    if (apiKey !== undefined && authorization !== `Bearer ${apiKey}`) return { status: 401 }
    if (url.pathname !== '/v1/realtime' || !url.searchParams.get('model')) return { status: 404 }
    return undefined
  }

  readonly #newId = (what: string) => {
    this.#ids += 1
    return `${what}_${this.#ids}`
  }

  open(client: Client): Session {
    const { clock, transcriptionMs = 80 } = this.#options
    const parts = {
      clock,
      model: this.#model,
      kind: this.#kind,
      faults: this.faults,
      openEars: this.#options.openEars ?? openEars,
      transcriptionMs,
      newId: this.#newId,
    }
    const session = new Session(parts, client)
    this.sessions.push(session)
    if (this.sessions.length > KEPT) this.sessions.shift()
    // The client listens only once it knows that it is connected.
    pause(clock, 1, session.signal).then(
      () => session.begin(),
      () => {},
    )
    return session
  }

  /** What any client was told that it may not do. */
  get problems(): string[] {
    return this.sessions.flatMap(({ problems }) => problems)
  }
}
