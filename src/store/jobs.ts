import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { PgBoss } from 'pg-boss'
import { limits } from '../limits.ts'
import type { Execute } from './database.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables } from './tables.ts'

/** What is done after the call, until it is done. */
export const jobKinds = [
  'convert',
  'transcribe',
  'summarize',
  'answer',
  'notify',
  'deliver',
  'clean',
  'forget',
] as const

export type JobKind = (typeof jobKinds)[number]

export interface WantedJob {
  readonly kind: JobKind
  /** Of its kind: what has the same one is the same job, however often it is wanted. */
  readonly key: string
  readonly business: string
  /** Ids alone: what a caller said, and who they are, stays where it can be deleted. */
  readonly subject: Readonly<Record<string, string | number>>
  /** Of such a group only so many are under way at once, wherever (`limits.jobs.ofGroup`). */
  readonly group?: string
  /** Not before; left out: at once. */
  readonly afterMs?: number
}

export interface ClaimedJob extends WantedJob {
  readonly id: string
  /** This one among them. */
  readonly attempts: number
}

/** `waiting` has been tried in vain or not at all; `failed` was tried as often as it may be, or is hopeless. */
type JobState = 'waiting' | 'underWay' | 'done' | 'failed'

export interface StoredJob extends Omit<ClaimedJob, 'afterMs'> {
  readonly state: JobState
  readonly wantedAt: Date
  readonly nextAt: Date
  readonly endedAt: Date | null
  /** Of the last attempt that failed. */
  readonly why: string | null
}

export interface JobFailure {
  /** For a person, and told to them: never the words of a server. */
  readonly why: string
  /** No other attempt would help. */
  readonly hopeless?: boolean
  /** As whoever was asked wants it. */
  readonly notBeforeMs?: number | undefined
  /** It was no attempt: another gateway is the one, or it is too early. */
  readonly isNoAttempt?: boolean
}

export interface JobsParts {
  readonly execute: Execute
  readonly kind: 'embedded' | 'server'
  /** In words, for the log. */
  readonly trouble: (text: string) => void
  /** Left out: those of the program. */
  readonly bounds?: typeof limits.jobs
}

/**
 * Work that outlives the program, kept by pg-boss in a schema of its own. It asks nothing of the database by itself: whoever
 * wants a job knows that there is one, and only what others have left is looked for from time to time.
 */
export class Jobs {
  readonly #boss: PgBoss
  readonly #parts: JobsParts

  private constructor(boss: PgBoss, parts: JobsParts) {
    this.#boss = boss
    this.#parts = parts
  }

  /** Its tables are made or brought up to date. */
  static async open(parts: JobsParts): Promise<Jobs> {
    const { execute, kind, trouble, bounds = limits.jobs } = parts
    const newBoss = () =>
      new PgBoss({
        db: { executeSql: (text, values) => execute(text, values) },
        backend: kind === 'embedded' ? 'pglite' : 'postgres',
        schema: SCHEMA,
        ...{ supervise: false, schedule: false, registerInstance: false, monitorVacuum: false, reindex: false },
        openTelemetry: { enabled: false },
        queueCacheIntervalSeconds: DAY_SECONDS,
        flowIntervalSeconds: DAY_SECONDS,
        bamIntervalSeconds: DAY_SECONDS,
      })
    const boss = await started(newBoss).catch(error => {
      if (!isMadeMeanwhile(error)) throw error
      return started(newBoss)
    })
    // Not its own words: they may hold a row.
    boss.on('error', error => trouble(`The queue of jobs has a problem${codeOf(error)}.`))
    // They are known to pg-boss from here on: within somebody else's transaction it must ask nothing by another connection.
    for (const name of jobKinds) {
      const { attempts, retryMs, aliveMs, keptMs } = bounds
      const queue = {
        retryLimit: attempts - 1,
        retryDelay: seconds(retryMs.first),
        retryBackoff: true,
        retryDelayMax: seconds(retryMs.most),
        expireInSeconds: seconds(aliveMs[name]),
        retentionSeconds: seconds(keptMs),
        deleteAfterSeconds: seconds(keptMs),
      }
      await boss.createQueue(name, queue)
      await boss.updateQueue(name, queue)
    }
    const jobs = new Jobs(boss, parts)
    // One process has it alone: what it was doing when it died nobody does any more.
    if (kind === 'embedded')
      await execute(`update ${SCHEMA}.job set state = 'retry', start_after = now() where state = 'active'`)
    return jobs
  }

  /** In the transaction of `execute`, where it is given: wanted if and only if that is committed. */
  async want(wanted: readonly WantedJob[], execute?: Execute): Promise<void> {
    const options = execute ? { db: { executeSql: (text: string, values?: unknown[]) => execute(text, values) } } : {}
    for (const name of jobKinds) {
      const jobs = new Map(wanted.filter(({ kind }) => kind === name).map(job => [jobIdOf(job), job]))
      if (jobs.size === 0) continue
      const rows = [...jobs].map(([id, { key, business, subject, group, afterMs }]) => ({
        ...{ id, data: { key, business, subject } },
        ...(group === undefined ? {} : { group: { id: group } }),
        ...(afterMs === undefined ? {} : { startAfter: new Date(afterMs) }),
      }))
      await this.#boss.insert(name, rows, options)
    }
  }

  /** Of which of these there is one whose time has come. */
  async due(kinds: readonly JobKind[]): Promise<JobKind[]> {
    const { rows } = await this.#parts.execute(
      `select kind from unnest($1::text[]) kind where exists
         (select from ${SCHEMA}.job where name = kind and state < 'active' and start_after <= now())`,
      [[...kinds]],
    )
    return rows.map(row => (row as { readonly kind: JobKind }).kind)
  }

  /** The oldest of those whose time has come. Whoever gets one has it alone, until it has taken too long. */
  async claim(kind: JobKind, most: number): Promise<ClaimedJob[]> {
    const { ofGroup }: { readonly ofGroup: Readonly<Partial<Record<JobKind, number>>> } =
      this.#parts.bounds ?? limits.jobs
    const groupConcurrency = ofGroup[kind]
    const grouped = groupConcurrency === undefined ? {} : { groupConcurrency }
    const found = await this.#boss.fetch<Kept>(kind, { batchSize: most, includeMetadata: true, ...grouped })
    return found.map(({ id, data, retryCount }) => ({ kind, id, ...data, attempts: retryCount + 1 }))
  }

  async done({ kind, id }: Pick<ClaimedJob, 'kind' | 'id'>): Promise<void> {
    await this.#boss.complete(kind, id)
  }

  /** Tried again later, unless it was tried often enough or that would never help. */
  async failed(
    { kind, id }: Pick<ClaimedJob, 'kind' | 'id'>,
    { why, hopeless, notBeforeMs, isNoAttempt }: JobFailure,
  ): Promise<void> {
    const told = { why: why.slice(0, limits.jobs.whyChars) }
    if (isNoAttempt) {
      // What has not been begun is not counted when it is fetched.
      await this.#parts.execute(
        `update ${SCHEMA}.job set state = 'created', started_on = null, start_after = $3::timestamptz,
           output = $4::jsonb
         where name = $1 and id = $2 and state = 'active'`,
        [kind, id, new Date(notBeforeMs ?? 0), JSON.stringify(told)],
      )
      return
    }
    await this.#boss.fail(kind, id, told)
    if (hopeless) await this.#boss.cancel(kind, id)
    else if (notBeforeMs !== undefined) {
      await this.#parts.execute(
        `update ${SCHEMA}.job set start_after = greatest(start_after, $3::timestamptz)
         where name = $1 and id = $2 and state = 'retry'`,
        [kind, id, new Date(notBeforeMs)],
      )
    }
  }

  /** What took too long is given back, and what is over for long goes: to be called from time to time. */
  async tend(): Promise<void> {
    await this.#boss.supervise()
  }

  /** By a person: from the beginning, and of one that waits for another attempt that attempt. False where nothing has failed. */
  async retry({ kind, id }: Pick<ClaimedJob, 'kind' | 'id'>): Promise<boolean> {
    const { rows } = await this.#parts.execute(
      `update ${SCHEMA}.job set start_after = now(), completed_on = null,
         state = case state when 'retry' then state else 'created' end,
         retry_count = case state when 'retry' then retry_count else 0 end,
         started_on = case state when 'retry' then started_on end
       where name = $1 and id = $2 and state in ('failed', 'cancelled', 'retry') returning id`,
      [kind, id],
    )
    return rows.length > 0
  }

  /** Settles when what it asks of the database is over. */
  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false, close: false })
  }
}

export interface JobFilter {
  readonly id?: string | undefined
  readonly business?: string | undefined
  readonly kind?: JobKind | undefined
  readonly state?: JobState | undefined
}

export interface JobPlace {
  readonly at: Date
  readonly id: string
}

export async function findJob(db: Kysely<Tables>, scope: StoreScope, id: string): Promise<StoredJob | undefined> {
  const [found] = await listJobs(db, scope, { id }, { after: undefined, count: 1 })
  return found
}

/** That are left to a person. */
export async function countFailedJobs(db: Kysely<Tables>, scope: StoreScope): Promise<number> {
  const { rows } = await sql<{ readonly count: number }>`
    select count(*)::integer as count from (select state, data->>'business' as business from ${sql.raw(SCHEMA)}.job) job
    where state in ('failed', 'cancelled') and ${isWithin(scope)}`.execute(db)
  return rows[0]?.count ?? 0
}

const statesOf: Readonly<Record<JobState, readonly string[]>> = {
  waiting: ['created', 'retry'],
  underWay: ['active'],
  done: ['completed'],
  failed: ['failed', 'cancelled'],
}

/** The newest first: whole milliseconds, as a place in them is told. */
export async function listJobs(
  db: Kysely<Tables>,
  scope: StoreScope,
  { id, business, kind, state }: JobFilter,
  { after, count }: { readonly after: JobPlace | undefined; readonly count: number },
): Promise<StoredJob[]> {
  const { rows } = await sql<Omit<StoredJob, 'state'> & { readonly state: string }>`
    select
      id, name as kind, data->>'key' as key, business, data->'subject' as subject,
      retry_count + case state when 'created' then 0 else 1 end as attempts, state::text,
      created_on as "wantedAt", start_after as "nextAt", completed_on as "endedAt", output->>'why' as why
    from (select *, data->>'business' as business from ${sql.raw(SCHEMA)}.job) job
    where ${isWithin(scope)}
      and (${id ?? null}::uuid is null or id = ${id ?? null}::uuid)
      and (${business ?? null}::text is null or business = ${business ?? null})
      and (${kind ?? null}::text is null or name = ${kind ?? null})
      and (${state ?? null}::text is null or state::text = any(${state ? statesOf[state] : []}::text[]))
      and (${after?.id ?? null}::uuid is null or (date_trunc('milliseconds', created_on), id) < (${after?.at ?? null}::timestamptz, ${after?.id ?? null}::uuid))
    order by date_trunc('milliseconds', created_on) desc, id desc limit ${count}`.execute(db)
  return rows.map(({ state, ...row }) => ({ ...row, state: jobStates.find(each => statesOf[each].includes(state))! }))
}

const jobStates = Object.keys(statesOf) as JobState[]

interface Kept {
  readonly key: string
  readonly business: string
  readonly subject: WantedJob['subject']
}

const SCHEMA = 'jobs'
/** The longest that pg-boss takes, for what is not to run at all. */
const DAY_SECONDS = 24 * 3_600

/** Of kind and key, in the form of a UUID (RFC 9562, version 8). */
export function jobIdOf({ kind, key }: Pick<WantedJob, 'kind' | 'key'>): string {
  const bytes = createHash('sha256').update(`${kind} ${key}`).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

async function started(newBoss: () => PgBoss): Promise<PgBoss> {
  const boss = newBoss()
  await boss.start()
  return boss
}

/** By another gateway that begins at the same time: https://www.postgresql.org/docs/15/errcodes-appendix.html */
function isMadeMeanwhile(error: unknown): boolean {
  return ['23505', '42P06', '42P07', '42710'].includes(String(Object(error).code))
}

function seconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1_000))
}

function codeOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown }
  return typeof code === 'string' ? ` (${code})` : ''
}
