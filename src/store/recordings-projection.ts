import { sql } from 'kysely'
import type { TableProjection } from './table-projection.ts'

const facts = [
  'recordingBegan',
  'recordingAnnounced',
  'recordingEnded',
  'recordingConverted',
  'recordingDeleted',
] as const

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
    (array_agg((details->>'seconds')::integer order by id) filter (where name = 'recordingEnded'))[1],
    (array_agg(details->>'why' order by id) filter (where name = 'recordingEnded'))[1],
    coalesce((array_agg((details->>'shedFrames')::integer order by id) filter (where name = 'recordingEnded'))[1], 0),
    min(at) filter (where name = 'recordingConverted'),
    (array_agg((details->>'bytes')::bigint order by id desc) filter (where name = 'recordingConverted'))[1],
    min(at) filter (where name = 'recordingDeleted'),
    (array_agg(details->>'by' order by id) filter (where name = 'recordingDeleted'))[1]
  from call_events
  where id = any(${ids}::bigint[]) and name = any(${facts}::text[])
  group by 1
  order by 1
  on conflict (id) do update set
    at = least(known.at, excluded.at),
    announced_at = coalesce(known.announced_at, excluded.announced_at),
    shed_frames = case when known.ended_why is null then excluded.shed_frames else known.shed_frames end,
    seconds = coalesce(known.seconds, excluded.seconds),
    ended_why = coalesce(known.ended_why, excluded.ended_why),
    converted_at = coalesce(known.converted_at, excluded.converted_at),
    bytes = coalesce(excluded.bytes, known.bytes),
    deleted_at = coalesce(known.deleted_at, excluded.deleted_at),
    deleted_by = coalesce(known.deleted_by, excluded.deleted_by)`,
}
