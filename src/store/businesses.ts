import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import type { Choice } from '../business.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables } from './tables.ts'

/** A business as it is kept: what it chose, and nothing that is filled in when it is read. */
export interface StoredBusiness {
  readonly id: string
  readonly choice: Choice
  readonly active: boolean
  /** Counts its changes. */
  readonly version: number
  readonly createdAt: string
  readonly changedAt: string
  /** Of the file that it was last read from. */
  readonly fileHash: string | null
}

/** What a business is to become, and what hangs on it in tables of its own. */
export interface BusinessChange {
  readonly id: string
  readonly choice: Choice
  /** As it is, or true for a new one, when nothing is said. */
  readonly active?: boolean | undefined
  readonly fileHash?: string
  readonly numbers: readonly string[]
  readonly destinations: readonly { readonly key: string; readonly name: string; readonly address: string }[]
  readonly atMs: number
}

export type Written =
  | { readonly kind: 'written'; readonly stored: StoredBusiness }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'exists' }
  | { readonly kind: 'outdated'; readonly version: number }
  | { readonly kind: 'numberTaken'; readonly number: string; readonly by: string }

/** The versions of all, by id: what has changed is told by it. */
export async function versionsOfBusinesses(
  db: Kysely<Tables>,
  scope: StoreScope,
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('businesses')
    .select(['id', 'version'])
    .where(isWithin(scope, 'businesses.id'))
    .execute()
  return new Map(rows.map(({ id, version }) => [id, version]))
}

/** Of these ids, the oldest first; an id that is none is left out. */
export async function readBusinesses(
  db: Kysely<Tables>,
  scope: StoreScope,
  ids: readonly string[],
): Promise<StoredBusiness[]> {
  const rows = await db
    .selectFrom('businesses')
    .selectAll()
    .where(sql<boolean>`id = any(${ids}::text[])`)
    .where(isWithin(scope, 'businesses.id'))
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return rows.map(storedOf)
}

/** To whom a call happened that was taken on at some time. */
export async function businessOfCall(db: Kysely<Tables>, scope: StoreScope, call: string): Promise<string | undefined> {
  const found = await db
    .selectFrom('calls')
    .select('business')
    .where('id', '=', call)
    .where(isWithin(scope))
    .executeTakeFirst()
  return found?.business
}

export function createBusiness(db: Kysely<Tables>, scope: StoreScope, change: BusinessChange): Promise<Written> {
  return written(db, scope, change, async transaction => {
    const at = new Date(change.atMs)
    const { id, choice, active = true, fileHash = null } = change
    return transaction
      .insertInto('businesses')
      .values({
        id,
        settings: JSON.stringify(choice),
        active,
        created_at: at,
        changed_at: at,
        version: 1,
        file_hash: fileHash,
      })
      .onConflict(conflict => conflict.doNothing())
      .returningAll()
      .executeTakeFirst()
      .then(row => row ?? { kind: 'exists' })
  })
}

/** Where `ifVersion` is given, it must be one of those the business has. */
export function changeBusiness(
  db: Kysely<Tables>,
  scope: StoreScope,
  change: BusinessChange,
  ifVersion?: readonly number[],
): Promise<Written> {
  return written(db, scope, change, async transaction => {
    const { id, choice, active, fileHash, atMs } = change
    const query = transaction.selectFrom('businesses').select('version').where('id', '=', id).forUpdate()
    const before = await query.executeTakeFirst()
    if (!before) return { kind: 'unknown' }
    if (ifVersion && !ifVersion.includes(before.version)) return { kind: 'outdated', version: before.version }
    return transaction
      .updateTable('businesses')
      .set({
        settings: JSON.stringify(choice),
        changed_at: new Date(atMs),
        version: before.version + 1,
        ...(active === undefined ? {} : { active }),
        ...(fileHash === undefined ? {} : { file_hash: fileHash }),
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
  })
}

type Row = Selectable<Tables['businesses']>
type Refused = Exclude<Written, { kind: 'written' | 'numberTaken' }>

/** The business, its numbers and its destinations: all of it or nothing. */
async function written(
  db: Kysely<Tables>,
  scope: StoreScope,
  change: BusinessChange,
  write: (transaction: Transaction<Tables>) => Promise<Row | Refused>,
): Promise<Written> {
  if (scope !== 'all' && scope.business !== change.id) return { kind: 'unknown' }
  try {
    return await db.transaction().execute(async transaction => {
      const row = await write(transaction)
      if ('kind' in row) return row
      await replaceParts(transaction, change)
      return { kind: 'written', stored: storedOf(row) }
    })
  } catch (error) {
    if ((error as { constraint?: unknown }).constraint !== 'numbers_pkey') throw error
    const owner = await db
      .selectFrom('numbers')
      .select(['number', 'business as by'])
      .where('business', '!=', change.id)
      .where(sql<boolean>`number = any(${change.numbers}::text[])`)
      .executeTakeFirst()
    if (!owner) throw error
    return { kind: 'numberTaken', ...owner }
  }
}

async function replaceParts(transaction: Transaction<Tables>, change: BusinessChange): Promise<void> {
  const { id: business, numbers, destinations } = change
  await transaction.deleteFrom('numbers').where('business', '=', business).execute()
  await transaction.deleteFrom('destinations').where('business', '=', business).execute()
  if (numbers.length > 0) {
    const rows = [...new Set(numbers)].map(number => ({ number, business }))
    await transaction.insertInto('numbers').values(rows).execute()
  }
  if (destinations.length > 0) {
    const rows = destinations.map(destination => ({ business, ...destination }))
    await transaction.insertInto('destinations').values(rows).execute()
  }
}

function storedOf({ id, settings, active, version, created_at, changed_at, file_hash }: Row): StoredBusiness {
  return {
    id,
    choice: settings,
    active,
    version,
    createdAt: created_at.toISOString(),
    changedAt: changed_at.toISOString(),
    fileHash: file_hash,
  }
}
