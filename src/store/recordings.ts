import { type Kysely, type Selectable, sql } from 'kysely'
import { isWithin, type StoreScope } from './scope.ts'
import type { AwaitedRecordingRow, Tables } from './tables.ts'

export type AwaitedRecording = Omit<Selectable<AwaitedRecordingRow>, 'settled_at' | 'next_at' | 'url'> & {
  /** The carrier was told to record them, and nothing else. */
  readonly of_reception: boolean
}

export interface Claim {
  readonly at: Date
  readonly most: number
  /** Until somebody may try it again: longer with every attempt. */
  readonly retryMs: { readonly first: number; readonly most: number }
}

/** What is to be fetched now, the oldest first: whoever gets it has it alone until its time comes again. */
export async function claimRecordings(
  db: Kysely<Tables>,
  scope: StoreScope,
  { at, most, retryMs }: Claim,
): Promise<AwaitedRecording[]> {
  const { rows } = await sql<AwaitedRecording>`
    update awaited_recordings own set
      attempts = attempts + 1,
      next_at = ${at}::timestamptz + interval '1 millisecond' * least(${retryMs.first} * 4 ^ attempts, ${retryMs.most})
    where recording in (
      select recording from awaited_recordings
      where settled_at is null and (next_at is null or next_at <= ${at}) and ${isWithin(scope)}
      order by at limit ${most} for update skip locked
    )
    returning recording, call, business, at, seconds, attempts,
      coalesce(caller_number, (select calls.caller_number from calls where calls.id = own.call)) as caller_number,
      exists (
        select from call_events event
        where event.call = own.call and event.name = 'announced' and event.details->>'verdict' = 'record'
      ) as of_reception`.execute(db)
  return rows.sort((one, other) => one.at.getTime() - other.at.getTime())
}
