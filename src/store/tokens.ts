import type { Kysely, Selectable } from 'kysely'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables, TokenRow } from './tables.ts'

/** All that is told of a token: what it was made of is kept nowhere. */
export type StoredToken = Omit<Selectable<TokenRow>, 'hash'>

const told = ['id', 'business', 'name', 'created_at', 'last_used_at', 'revoked_at'] as const

/** Nothing when there is no such business. */
export async function createToken(
  db: Kysely<Tables>,
  scope: StoreScope,
  token: Omit<StoredToken, 'last_used_at' | 'revoked_at'> & { readonly hash: Buffer },
): Promise<StoredToken | undefined> {
  const { business } = token
  if (scope !== 'all' && business !== scope.business) return undefined
  return db.transaction().execute(async transaction => {
    if (business !== null) {
      const known = transaction.selectFrom('businesses').select('id').where('id', '=', business).forKeyShare()
      if (!(await known.executeTakeFirst())) return undefined
    }
    return transaction.insertInto('tokens').values(token).returning(told).executeTakeFirstOrThrow()
  })
}

/** The newest first, those that were revoked too. */
export function listTokens(db: Kysely<Tables>, scope: StoreScope, most: number): Promise<StoredToken[]> {
  const query = db.selectFrom('tokens').select(told).where(isWithin(scope))
  return query.orderBy('created_at', 'desc').orderBy('id').limit(most).execute()
}

export function findToken(db: Kysely<Tables>, scope: StoreScope, hash: Buffer): Promise<StoredToken | undefined> {
  return db.selectFrom('tokens').select(told).where('hash', '=', hash).where(isWithin(scope)).executeTakeFirst()
}

/** False when there is no such token. One that was revoked before stays revoked since then. */
export async function revokeToken(db: Kysely<Tables>, scope: StoreScope, id: string, at: Date): Promise<boolean> {
  const query = db.updateTable('tokens').set(({ fn, val }) => ({ revoked_at: fn.coalesce('revoked_at', val(at)) }))
  const { numUpdatedRows } = await query.where('id', '=', id).where(isWithin(scope)).executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Not when it was noted after that moment already, whichever node did so. */
export async function noteTokenUse(
  db: Kysely<Tables>,
  scope: StoreScope,
  id: string,
  { at, unlessAfter }: { readonly at: Date; readonly unlessAfter: Date },
): Promise<void> {
  const query = db.updateTable('tokens').set({ last_used_at: at }).where('id', '=', id).where(isWithin(scope))
  await query
    .where(({ eb, or }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', unlessAfter)]))
    .execute()
}
