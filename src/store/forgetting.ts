import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import { telephoneNumber, withheldNumbers } from '../call/caller-number.ts'
import { limits } from '../limits.ts'
import type { KeptSoundRow } from './recording-files.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { ForgettingRow, Tables } from './tables.ts'

/** Of a business, whoever has called it, was called by it or has written to it under a number. */
export interface Caller {
  readonly business: string
  readonly number: string
}

export type Forgetting = Selectable<ForgettingRow>

/** False for the business of somebody else. */
export async function askForgetting(
  db: Kysely<Tables>,
  scope: StoreScope,
  asked: Caller & { readonly id: string; readonly at: Date },
): Promise<boolean> {
  const { id, business, number, at } = asked
  if (scope !== 'all' && scope.business !== business) return false
  await db.insertInto('forgettings').values({ id, business, number, asked_at: at, done_at: null }).execute()
  return true
}

/** That were asked for and are not over, whoever was to do it. */
export function openForgettings(db: Kysely<Tables>, scope: StoreScope): Promise<Pick<Forgetting, 'id' | 'business'>[]> {
  const query = db.selectFrom('forgettings').select(['id', 'business']).where('number', 'is not', null)
  return query.where(isWithin(scope)).limit(limits.store.rowsAtOnce).execute()
}

export function forgettingNamed(db: Kysely<Tables>, scope: StoreScope, id: string): Promise<Forgetting | undefined> {
  return db.selectFrom('forgettings').selectAll().where('id', '=', id).where(isWithin(scope)).executeTakeFirst()
}

/**
 * Ids of their calls: a number of ours that was called is none of theirs. Who has withheld theirs and left it to be called back
 * is known by that.
 */
const callsOf = ({ business, number }: Caller) => sql<string>`
  select id from calls where business = ${business}
    and (caller_number = ${number} or (direction = 'outbound' and called_user = ${number}))
  union select call from voicemails where business = ${business} and caller_number = ${number}
  union select call from awaited_recordings where business = ${business} and caller_number = ${number}
  union select call from messages join calls on calls.id = messages.call
    where messages.business = ${business} and messages.callback = ${number}
      and (caller_number is null or caller_number !~ ${telephoneNumber.source} or caller_number = any(${withheldNumbers}::text[]))`

/** Anything is kept of them, in this spelling of their number. */
export async function knowsCaller(db: Kysely<Tables>, scope: StoreScope, caller: Caller): Promise<boolean> {
  const { business, number } = caller
  if (scope !== 'all' && scope.business !== business) return false
  const { rows } = await sql`
    select where exists (${callsOf(caller)})
      or exists (select from texts where business = ${business} and customer = ${number})
      or exists (select from outbound_calls where business = ${business} and number = ${number})
      or exists (select from callers where business = ${business} and number = ${number})`.execute(db)
  return rows.length > 0
}

/** That may go on: a gateway that died and never came back has left some that do not. */
export async function hasLiveCalls(
  db: Kysely<Tables>,
  scope: StoreScope,
  caller: Caller,
  since: Date,
): Promise<boolean> {
  const { rows } = await sql`
    select from calls where id in (${callsOf(caller)}) and state = 'live' and offered_at > ${since} and ${isWithin(scope)}
    limit 1`.execute(db)
  return rows.length > 0
}

/** What is still there of them. */
export async function soundsOfCaller(db: Kysely<Tables>, scope: StoreScope, caller: Caller): Promise<KeptSoundRow[]> {
  const { rows } = await sql<KeptSoundRow>`
    select 'recording' as kind, id as name, call, business, home from recordings
    where call in (${callsOf(caller)}) and deleted_at is null and ${isWithin(scope)}
    union all
    select 'voicemail', recording, call, business, home from voicemails
    where call in (${callsOf(caller)}) and deleted_at is null and ${isWithin(scope)}`.execute(db)
  return rows
}

/** `more` is left; `busy`: somebody does something with what they have left just now, or a sound of theirs is still there. */
export type Forgotten = 'more' | 'busy' | 'all'

/**
 * Some of their calls, each whole, and with the last of them all else: a caller of few calls goes in one transaction. Figures
 * stay, without a person. So do STOP and the wish not to be called: they are for them.
 */
export async function forgetSome(
  db: Kysely<Tables>,
  scope: StoreScope,
  { id, business, number, at }: Caller & { readonly id: string; readonly at: Date },
): Promise<Forgotten> {
  if (scope !== 'all' && scope.business !== business) return 'all'
  const caller = { business, number }
  return db.transaction().execute(async transaction => {
    const { rows } = await sql<{ readonly id: string }>`${callsOf(caller)} order by 1
      limit ${limits.store.callsForgottenAtOnce}`.execute(transaction)
    const calls = rows.map(row => row.id)
    if (calls.length > 0) {
      if (await isBusy(transaction, calls)) return 'busy'
      await forgetCalls(transaction, calls, at)
      await countForgotten(transaction, id, calls)
    }
    if (calls.length === limits.store.callsForgottenAtOnce) return 'more'
    if (await forgetTexts(transaction, caller)) return 'more'
    await transaction
      .deleteFrom('outbound_calls')
      .where('business', '=', business)
      .where('number', '=', number)
      .execute()
    await transaction.deleteFrom('callers').where('business', '=', business).where('number', '=', number).execute()
    await transaction.updateTable('forgettings').set({ number: null, done_at: at }).where('id', '=', id).execute()
    return 'all'
  })
}

/** What is wanted for them and not begun is wanted no more; what a job makes of it just now would come back. */
async function isBusy(transaction: Transaction<Tables>, calls: readonly string[]): Promise<boolean> {
  const ofThem = sql`name <> 'forget' and name <> 'clean' and data->'subject'->>'call' in (
    select unnest(${calls}::text[]) union select name from call_names where call = any(${calls}::text[]))`
  await sql`delete from jobs.job where state not in ('active', 'completed') and ${ofThem}`.execute(transaction)
  const { rows } = await sql`
    select from jobs.job where state = 'active' and ${ofThem}
    union all select from recordings where call = any(${calls}::text[]) and deleted_at is null
    union all select from voicemails where call = any(${calls}::text[]) and deleted_at is null
    limit 1`.execute(transaction)
  return rows.length > 0
}

const madeOfWords = [
  'turns',
  'messages',
  'transcripts',
  'summaries',
  'deliveries',
  'notices',
  'awaited_recordings',
] as const

async function forgetCalls(transaction: Transaction<Tables>, calls: readonly string[], at: Date): Promise<void> {
  for (const table of madeOfWords) await transaction.deleteFrom(table).where('call', 'in', calls).execute()
  await hideEvents(transaction, calls)
  // The rows of sounds stay, as those of calls do: what is told of them late finds that they are gone.
  await transaction.updateTable('voicemails').set({ caller_number: null }).where('call', 'in', calls).execute()
  await sql`
    update calls set
      caller_number = null, called_user = case direction when 'outbound' then null else called_user end,
      parameters = null, words = null, forgotten_at = ${at}
    where id = any(${calls}::text[])`.execute(transaction)
}

async function hideEvents(transaction: Transaction<Tables>, calls: readonly string[]): Promise<void> {
  await transaction
    .updateTable('call_events')
    .set({ private: null })
    .where('call', 'in', calls)
    .where('private', 'is not', null)
    .execute()
}

/** Once for each: what was counted is theirs no more. */
async function countForgotten(transaction: Transaction<Tables>, id: string, calls: readonly string[]): Promise<void> {
  await sql`
    update forgettings set calls = calls + ${calls.length}, files = files + (
      select count(*) from (
        select from recordings where call = any(${calls}::text[]) and deleted_by = 'request'
        union all select from voicemails where call = any(${calls}::text[]) and deleted_by = 'request'
      ) gone
    ) where id = ${id}`.execute(transaction)
}

/** True when there may be more of them. */
async function forgetTexts(transaction: Transaction<Tables>, { business, number }: Caller): Promise<boolean> {
  const texts = await transaction
    .selectFrom('texts')
    .select(['id', 'carrier'])
    .where('business', '=', business)
    .where('customer', '=', number)
    .limit(limits.store.rowsAtOnce)
    .execute()
  if (texts.length === 0) return false
  const ids = texts.map(({ id }) => id)
  await hideEvents(transaction, [...ids, ...texts.flatMap(({ carrier }) => carrier ?? [])])
  await transaction.deleteFrom('texts').where('id', 'in', ids).execute()
  return texts.length === limits.store.rowsAtOnce
}

/** Whom words or sound of theirs have reached, as far as is known here. */
export interface Elsewhere {
  readonly hooks: string[]
  readonly notices: ('text' | 'mail' | 'webhook')[]
  readonly carrier: boolean
  readonly provider: boolean
}

const nowhere: Elsewhere = { hooks: [], notices: [], carrier: false, provider: false }

export async function elsewhereOf(db: Kysely<Tables>, scope: StoreScope, caller: Caller): Promise<Elsewhere> {
  const { business, number } = caller
  if (scope !== 'all' && scope.business !== business) return nowhere
  const { rows } = await sql<Elsewhere>`
    with theirs as (${callsOf(caller)})
    select
      (select coalesce(jsonb_agg(distinct hook), '[]') from deliveries where call in (select id from theirs) and attempts > 0)
        as hooks,
      (select coalesce(jsonb_agg(distinct by), '[]') from notices where call in (select id from theirs) and ok) as notices,
      exists (
        select from call_events where call in (select id from theirs)
          and (name in ('announced', 'carrierTold', 'callMade') or (name = 'offered' and details ? 'partOf'))
      ) or exists (select from texts where business = ${business} and customer = ${number}) as carrier,
      exists (
        select from call_events where call in (select id from theirs)
          and (name = 'usageCounted' or details->>'by' = 'provider')
      ) as provider`.execute(db)
  return rows[0] ?? nowhere
}

/** Of every gateway that has ever written into this database. */
export async function journalsIn(db: Kysely<Tables>, scope: StoreScope): Promise<string[]> {
  if (scope !== 'all') return []
  const rows = await db.selectFrom('journals').select('id').execute()
  return rows.map(({ id }) => id)
}

export async function isForgettingTold(db: Kysely<Tables>, scope: StoreScope, id: string): Promise<boolean> {
  const told = db.selectFrom('call_events').select('id').where('call', '=', id).where('name', '=', 'callerForgotten')
  return (await told.where(isWithin(scope)).limit(1).executeTakeFirst()) !== undefined
}
