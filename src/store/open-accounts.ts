import { type Kysely, type Selectable, sql } from 'kysely'
import { finalStatuses } from '../call/carrier-events.ts'
import type { Claim } from './recordings.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { OpenAccountRow, Tables } from './tables.ts'

/** A call of which the carrier is to be asked. */
export interface OpenAccount extends Pick<Selectable<OpenAccountRow>, 'call' | 'business' | 'attempts'> {
  /** The carrier's own id of it, where that is known. */
  readonly carrier: string | null
  /** The carrier has told its end, and not its price. */
  readonly over: boolean
  /** Whoever told that. */
  readonly ended: boolean
}

/** Of whom it is to be asked now, the oldest first: whoever gets one has it alone until its time comes again. */
export async function claimAccounts(
  db: Kysely<Tables>,
  scope: StoreScope,
  { at, most, retryMs }: Claim,
): Promise<OpenAccount[]> {
  const { rows } = await sql<OpenAccount>`
    update open_accounts own set
      attempts = attempts + 1,
      next_at = ${at}::timestamptz + interval '1 millisecond' * least(${retryMs.first} * 4 ^ attempts, ${retryMs.most})
    where call in (
      select call from open_accounts where next_at <= ${at} and ${isWithin(scope)}
      order by next_at limit ${most} for update skip locked
    )
    returning call, business, attempts,
      case when call ~ '^CA[0-9a-fA-F]{32}$' then call
        else (select name from call_names where call_names.call = own.call and name ~ '^CA[0-9a-fA-F]{32}$' limit 1)
      end as carrier,
      coalesce((
        select carrier_status = any(${finalStatuses}::text[]) from calls where calls.id = own.call
      ), false) as over,
      coalesce((select state = 'ended' from calls where calls.id = own.call), false) as ended`.execute(db)
  return rows
}

/** Nothing more is to be asked about it. */
export async function closeAccount(db: Kysely<Tables>, scope: StoreScope, call: string): Promise<void> {
  await db.deleteFrom('open_accounts').where('call', '=', call).where(isWithin(scope)).execute()
}
