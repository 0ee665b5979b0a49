import type { Kysely } from 'kysely'
import { finalStatuses } from '../call/carrier-events.ts'
import type { CallEvent } from '../call/events.ts'
import { type Clock, within } from '../clock.ts'
import { asError, GatewayError, isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import { type CallKnowledge, knowledgeOf } from './call-knowledge.ts'
import { type Database, type DatabaseSettings, executeIn, openDatabase } from './database.ts'
import { type JobKind, Jobs, type WantedJob } from './jobs.ts'
import { type EventSource, Projection } from './projection.ts'
import type { StoreScope } from './scope.ts'
import type { Tables } from './tables.ts'

export interface StoreDependencies extends DatabaseSettings {
  readonly source: EventSource
  readonly clock: Clock
  /** In words, for the log. */
  readonly trouble: (text: string) => void
  /** Left out: nothing outlives a call but its record. */
  readonly work?: StoreWork
  /** It can be asked from here on; what is done with it then is part of opening it. */
  readonly opened?: () => Promise<void>
}

/** What is to be done because of what happened. */
export interface StoreWork {
  readonly wantedBy: (event: CallEvent, known?: CallKnowledge) => readonly WantedJob[]
  /** There are some. */
  readonly wanted: (kinds: ReadonlySet<JobKind>) => void
}

/**
 * Every call, kept. A database that is down keeps no caller waiting: the journal has what happened, and the store comes
 * after it as soon as it can.
 */
export class Store {
  readonly #with: StoreDependencies
  #database: Database | undefined
  #projection: Projection | undefined
  #jobs: Jobs | undefined
  #failures = 0
  #closed = false
  #silent = false
  #cancelRetry = () => {}
  #opening: Promise<void> = Promise.resolve()

  constructor(dependencies: StoreDependencies) {
    this.#with = dependencies
  }

  /** Settles after the first attempt; rejects only when this program must not use the database at all. */
  open(): Promise<void> {
    this.#opening = this.#attempt()
    return this.#opening
  }

  /**
   * Asks it something that somebody waits for. While it is away, or when it does not answer in time, this fails with
   * STORE_AWAY. No error of the database itself comes out: its words may hold a row, and in it what a caller said.
   */
  async ask<T>(query: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    if (!this.#database) throw away('is away')
    try {
      const late = () => away('does not answer in time')
      const answer = await within(this.#with.clock, limits.store.askMs, query(this.#database.db), late)
      this.#silent = false
      return answer
    } catch (error) {
      if (error instanceof TypeError) throw error
      const told = toldOf(error)
      this.#silent = told.code === 'STORE_AWAY'
      throw told
    }
  }

  /** None while it is away, or without any work. */
  get jobs(): Jobs | undefined {
    return this.#jobs
  }

  /** What happened is not in the database at the moment, or not all of it. */
  get failing(): boolean {
    return this.#projection?.failing ?? true
  }

  /** Whoever asked last had no answer: an idle gateway has no events to find that out by. */
  get silent(): boolean {
    return this.#silent
  }

  /** What has happened so far is in the tables, or cannot be brought there now. */
  async caughtUp(): Promise<void> {
    await this.#projection?.caughtUp()
  }

  /** The same, and it outlives a power cut without the journal. */
  async settled(): Promise<void> {
    await this.caughtUp()
    await this.#database?.settle()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelRetry()
    await this.#opening.catch(() => {})
    const late = () => new Error('the database took too long')
    const caughtUp = within(this.#with.clock, limits.store.closeMs, this.caughtUp(), late)
    // What it has not taken by then it takes at the next start.
    await caughtUp.catch(() => {})
    await this.#projection?.close()
    await this.#jobs?.close()
    await this.#database?.close()
  }

  async #attempt(): Promise<void> {
    const { url, folder, source, clock, trouble, work, opened } = this.#with
    try {
      const database = await openDatabase({ url, folder })
      if (this.#closed) return await database.close()
      this.#jobs = work && (await jobsIn(database, trouble))
      this.#database = database
      this.#projection = new Projection({ source, db: database.db, clock, trouble, ...this.#following() })
      if (this.#failures > 0) trouble('The database is there again.')
      await opened?.()
    } catch (error) {
      if (isCode(error, 'STORE_REFUSED')) throw error
      this.#retryLater(asError(error))
    }
  }

  #following(): Pick<ConstructorParameters<typeof Projection>[0], 'following' | 'took'> {
    const { work } = this.#with
    const jobs = this.#jobs
    if (!work || !jobs) return {}
    let woken = new Set<JobKind>()
    return {
      following: async (transaction, events) => {
        const wanted = await wantedIn(transaction, 'all', events, work.wantedBy)
        const nowMs = this.#with.clock.wallMs()
        // What is not due yet is met by whoever looks from time to time.
        woken = new Set(wanted.filter(({ afterMs = 0 }) => afterMs <= nowMs).map(({ kind }) => kind))
        await jobs.want(wanted, executeIn(transaction))
      },
      took: () => {
        if (woken.size > 0) work.wanted(woken)
      },
    }
  }

  #retryLater(error: Error): void {
    if (this.#closed) return
    const { first, most } = limits.store.retryMs
    if (this.#failures === 0) {
      this.#with.trouble(
        `${error.message} Calls go on, and the journal keeps what happens until the database is there.`,
      )
    }
    const waitMs = Math.min(most, first * 2 ** this.#failures)
    this.#failures += 1
    this.#cancelRetry = this.#with.clock.after(waitMs, () => {
      this.#opening = this.#attempt()
      this.#opening.catch(refused => this.#with.trouble(asError(refused).message))
    })
  }
}

/** What is known of a call is asked for where something may come of its end: once for all of these. */
export async function wantedIn(
  db: Kysely<Tables>,
  scope: StoreScope,
  events: readonly CallEvent[],
  wantedBy: StoreWork['wantedBy'],
): Promise<readonly WantedJob[]> {
  const ends = events.filter(event => isEnd(event) && wantedBy(event).length > 0).map(({ call }) => call)
  const known = ends.length === 0 ? undefined : await knowledgeOf(db, scope, [...new Set(ends)])
  return events.flatMap(event => wantedBy(event, known?.get(event.call)))
}

function isEnd({ fact }: CallEvent): boolean {
  return fact.name === 'ended' || (fact.name === 'carrierTold' && finalStatuses.some(each => each === fact.status))
}

/** A database that is opened again must have been closed. */
async function jobsIn(database: Database, trouble: (text: string) => void): Promise<Jobs> {
  try {
    return await Jobs.open({ ...database, trouble })
  } catch (error) {
    await database.close()
    throw error
  }
}

function away(why: string): GatewayError {
  return new GatewayError('STORE_AWAY', `The database ${why}.`, { retryable: true })
}

/** Of what the database, or the way there, has answered. */
export function toldOf(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  const { code, constraint } = Object(error) as { code?: unknown; constraint?: unknown }
  if (isAway(code)) return away('does not answer')
  const what = [code, constraint].filter(each => typeof each === 'string').join(', ')
  return new GatewayError('BUG', `The database refused what it was asked (${what}).`)
}

/**
 * https://www.postgresql.org/docs/15/errcodes-appendix.html: connections, who may connect and to what, a deadlock, resources,
 * an operator's intervention, the system and a server that only reads are about the server; everything else is about what was
 * asked. What has no such code comes from the way there: of a socket it begins with E (EPIPE), and of the server none does.
 */
function isAway(code: unknown): boolean {
  return typeof code !== 'string' || !/^(?!E)[0-9A-Z]{5}$/.test(code) || /^(08|28|3D|40|53|57|58)|^25006$/.test(code)
}
