import { sql } from 'kysely'
import type { CallEvent } from '../call/events.ts'

/** Whose journal tells of a sound has it on its disk: the last that goes on with a recording, the first that has a voicemail. */
export function homing(events: readonly CallEvent[], home: string) {
  const recordings = events.flatMap(({ fact }) =>
    fact.name === 'recordingBegan' || fact.name === 'recordingEnded' ? [fact.recording] : [],
  )
  const voicemails = events.flatMap(({ fact }) => (fact.name === 'voicemailLeft' ? [fact.private.recording] : []))
  if (recordings.length + voicemails.length === 0) return undefined
  return sql`
    with recorded as (update recordings set home = ${home} where id = any(${recordings}::text[]))
    update voicemails set home = ${home} where recording = any(${voicemails}::text[]) and home is null`
}
