import { sql } from 'kysely'
import type { TableProjection } from './table-projection.ts'

const facts = [
  'recordingBegan',
  'recordingAnnounced',
  'recordingEnded',
  'recordingConverted',
  'recordingDeleted',
] as const

const seconds = sql`(details->>'seconds')::integer`
/**
 * Of several ends the last: what was told to be over may have gone on, with whoever took the call over. It is the longest, for
 * a file only grows; one that is found again, as long as it was, tells nothing new.
 */
const last = sql`order by ${seconds} desc, id) filter (where name = 'recordingEnded'`
const isLater = sql`excluded.seconds > coalesce(known.seconds, -1)`

/** Of each thing that happens once the first counts: a gateway that was killed may find and tell it again. */
export const recordings: TableProjection = {
  of: facts,
  statement: ids => sql`
  insert into recordings as known (
    id, call, business, at, announced_at, seconds, ended_why, shed_frames, converted_at, bytes, deleted_at, deleted_by
  )
  select
    details->>'recording', min(call), min(business), min(at),
    min(at) filter (where name = 'recordingAnnounced'),
    (array_agg(${seconds} ${last}))[1],
    (array_agg(details->>'why' ${last}))[1],
    coalesce((array_agg((details->>'shedFrames')::integer ${last}))[1], 0),
    min(at) filter (where name = 'recordingConverted'),
    (array_agg((details->>'bytes')::bigint order by id desc) filter (where name = 'recordingConverted'))[1],
    min(at) filter (where name = 'recordingDeleted'),
    (array_agg(details->>'by' order by id) filter (where name = 'recordingDeleted'))[1]
  from call_events
  where id = any(${ids}::bigint[]) and name = any(${facts}::text[])
    -- A voicemail is converted, too, and is none.
    and not exists (select from voicemails where voicemails.recording = details->>'recording')
  group by 1
  order by 1
  on conflict (id) do update set
    at = least(known.at, excluded.at),
    announced_at = coalesce(known.announced_at, excluded.announced_at),
    shed_frames = case when ${isLater} then excluded.shed_frames else known.shed_frames end,
    ended_why = case when ${isLater} then excluded.ended_why else known.ended_why end,
    seconds = greatest(known.seconds, excluded.seconds),
    converted_at = coalesce(known.converted_at, excluded.converted_at),
    bytes = coalesce(excluded.bytes, known.bytes),
    deleted_at = coalesce(known.deleted_at, excluded.deleted_at),
    deleted_by = coalesce(known.deleted_by, excluded.deleted_by)`,
}
