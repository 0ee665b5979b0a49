import { sql } from 'kysely'
import type { TableProjection } from './table-projection.ts'

/** A gateway that was killed before it could take it away from the PBX finds it there once more. */
const left: TableProjection = {
  of: ['voicemailLeft'],
  statement: ids => sql`
  insert into voicemails (call, business, at, seconds, recording, caller_number, by, ended)
  select distinct on (call, private->>'recording')
    call, business, at, (details->>'seconds')::integer, private->>'recording',
    nullif(coalesce(private->>'callerNumber', (select caller_number from calls where calls.id = event.call)), ''),
    details->>'by', details->>'ended'
  from call_events event
  where id = any(${ids}::bigint[]) and name = 'voicemailLeft' and not exists (
    select from voicemails known where known.call = event.call and known.recording = event.private->>'recording'
  )
  order by call, private->>'recording', id`,
}

/** The first of them counts. */
const deleted: TableProjection = {
  of: ['voicemailDeleted'],
  statement: ids => sql`
  update voicemails set deleted_at = gone.at, deleted_by = gone.by
  from (
    select distinct on (details->>'recording') details->>'recording' as recording, at, details->>'by' as by
    from call_events where id = any(${ids}::bigint[]) and name = 'voicemailDeleted'
    order by details->>'recording', id
  ) gone
  where voicemails.recording = gone.recording and voicemails.deleted_at is null`,
}

export const voicemails: readonly TableProjection[] = [left, deleted]
