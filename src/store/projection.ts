import { type Kysely, sql, type Transaction } from 'kysely'
import type { CallEvent } from '../call/events.ts'
import { isSame, JOURNAL_START, type JournalPiece, type JournalPosition } from '../call/journal-reader.ts'
import type { Clock } from '../clock.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import { homing } from './homes.ts'
import { project } from './projecting.ts'
import type { Tables } from './tables.ts'

/** The journal as the store reads it. */
export interface EventSource {
  /** Tells it from the journals of other gateways on the same database. */
  readonly id: string
  /** What is written from a place on, some of it at a time; nothing, and the same place, when there is no more. */
  read(from: JournalPosition): Promise<JournalPiece>
  /** The database has everything before it. */
  taken(upTo: JournalPosition): void
  onWritten(listener: () => void): () => void
}

interface ProjectionDependencies {
  readonly source: EventSource
  readonly db: Kysely<Tables>
  readonly clock: Clock
  /** In words, for the log. */
  readonly trouble: (text: string) => void
  /** What follows from events that were taken: in the same transaction, so that it stands if and only if they do. */
  readonly following?: (transaction: Transaction<Tables>, events: readonly CallEvent[]) => Promise<void>
  /** They stand. */
  readonly took?: (events: readonly CallEvent[]) => void
}

/**
 * Carries events from the journal into the tables: in order, each once, for the place that was read up to changes in the
 * same transaction as the rows. While the database is down the journal keeps them.
 */
export class Projection {
  readonly #with: ProjectionDependencies
  readonly #stopWatching: () => void
  #running: Promise<void> | undefined
  #again = false
  #closed = false
  #failures = 0
  /** As far as is known here: what the database says counts. */
  #reached: JournalPosition | undefined
  #cancelRetry = () => {}
  #cancelGathering: (() => void) | undefined

  constructor(dependencies: ProjectionDependencies) {
    this.#with = dependencies
    this.#stopWatching = dependencies.source.onWritten(() => this.#gather())
    this.wake()
  }

  /** The database does not take what is written at the moment. */
  get failing(): boolean {
    return this.#failures > 0
  }

  /** There is more, or may be. */
  wake(): void {
    if (this.#closed) return
    this.#again = true
    this.#running ??= this.#run()
  }

  /** Settles when everything that was written before is in the tables, or cannot be brought there now. */
  async caughtUp(): Promise<void> {
    this.wake()
    await this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopWatching()
    this.#cancelRetry()
    this.#cancelGathering?.()
    await this.#running
  }

  /** A transaction costs the embedded database more than what is in it: events that come together go together. */
  #gather(): void {
    if (this.#closed) return
    this.#cancelGathering ??= this.#with.clock.after(limits.store.gatherMs, () => {
      this.#cancelGathering = undefined
      this.wake()
    })
  }

  async #run(): Promise<void> {
    this.#cancelRetry()
    try {
      while (this.#again && !this.#closed) {
        this.#again = false
        while (!this.#closed && (await this.#carryPiece()));
      }
      if (this.#failures > 0) this.#with.trouble('The database takes events again.')
      this.#failures = 0
    } catch (error) {
      this.#retryLater(asError(error))
    } finally {
      this.#running = undefined
    }
  }

  /** False when there is nothing more to carry. */
  async #carryPiece(): Promise<boolean> {
    const { source, db, trouble, following, took } = this.#with
    const reached = this.#reached
    const ahead = reached && (await source.read(reached))
    if (ahead && isSame(ahead.next, reached)) return false
    const { upTo, more, events } = await db.transaction().execute(async transaction => {
      const from = await positionOf(transaction, source.id)
      const { events, next, missed } = ahead && isSame(from, reached) ? ahead : await source.read(from)
      if (isSame(next, from)) return { upTo: from, more: false, events: [] }
      if (missed > 0) {
        trouble(
          `${missed} segment(s) of the journal were shed before the database had taken them: their events are lost.`,
        )
      }
      const taken = await this.#projectAll(transaction, events)
      await homing(taken, source.id)?.execute(transaction)
      await following?.(transaction, taken)
      await transaction
        .updateTable('journals')
        .set({ segment: String(next.segment), offset_bytes: String(next.byte) })
        .where('id', '=', source.id)
        .execute()
      return { upTo: next, more: true, events: taken }
    })
    this.#reached = upTo
    source.taken(upTo)
    if (events.length > 0) took?.(events)
    return more
  }

  /** An event that the database can never take must not keep it from all that came after. */
  async #projectAll(transaction: Transaction<Tables>, events: readonly CallEvent[]): Promise<readonly CallEvent[]> {
    if (await isTaken(transaction, events)) return events
    const taken: CallEvent[] = []
    for (const event of events) {
      if (await isTaken(transaction, [event])) {
        taken.push(event)
        continue
      }
      this.#with.trouble(
        `The database cannot hold an event of the call ${event.call} (${event.fact.name}): it is left out.`,
      )
    }
    return taken
  }

  #retryLater(error: Error): void {
    if (this.#closed) return
    const { first, most } = limits.store.retryMs
    const waitMs = Math.min(most, first * 2 ** this.#failures)
    if (this.#failures === 0) {
      // Not the error's own words: they may hold a row, and in it what a caller said.
      const code = 'code' in error ? ` (${String(error.code)})` : ''
      this.#with.trouble(`The database takes no events${code}: the journal keeps them until it does.`)
    }
    this.#failures += 1
    this.#cancelRetry = this.#with.clock.after(waitMs, () => this.wake())
  }
}

/** False when the events themselves are what the database does not take. */
async function isTaken(transaction: Transaction<Tables>, events: readonly CallEvent[]): Promise<boolean> {
  await sql`savepoint events`.execute(transaction)
  try {
    await project(transaction, events)
    return true
  } catch (error) {
    if (!isAboutData(error)) throw error
    await sql`rollback to savepoint events`.execute(transaction)
    return false
  }
}

/** https://www.postgresql.org/docs/15/errcodes-appendix.html: of data exceptions, violated constraints and exceeded limits. */
function isAboutData(error: unknown): boolean {
  return /^(22|23|54)/.test(String((error as { code?: unknown }).code))
}

/** Locked until the transaction ends, so that a journal has one reader at a time. */
async function positionOf(transaction: Transaction<Tables>, journal: string): Promise<JournalPosition> {
  const query = transaction
    .selectFrom('journals')
    .select(['segment', 'offset_bytes'])
    .where('id', '=', journal)
    .forUpdate()
  const known = await query.executeTakeFirst()
  if (known) return { segment: Number(known.segment), byte: Number(known.offset_bytes) }
  await transaction
    .insertInto('journals')
    .values({ id: journal, segment: String(JOURNAL_START.segment), offset_bytes: String(JOURNAL_START.byte) })
    .execute()
  return JOURNAL_START
}
