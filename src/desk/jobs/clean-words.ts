import { limits } from '../../limits.ts'
import type { ClaimedJob } from '../../store/jobs.ts'
import { NotYet, OfAnother } from '../working.ts'

export interface CleanWordsParts {
  /** Another gateway has had the sound: in its journal stands what was written down of it. */
  readonly isElsewhere: (recording: string, call: string) => Promise<boolean>
  /** Something is made of them just now, or sent. */
  readonly areInUse: (recording: string, call: string) => Promise<boolean>
  /** From the record; true when there were any. */
  readonly drop: (recording: string) => Promise<boolean>
  /** What was written until now, in the journal of this gateway. */
  readonly dropWritten: () => Promise<void>
  /** Of a sound that was another gateway's: what was made of its words may have been made here. */
  readonly wentElsewhere: () => Promise<boolean>
}

/**
 * What was written down of a sound goes from the record with the event that tells it gone. What somebody was making of it at that
 * moment goes when they are done, and then all of it from the journal.
 */
export async function cleanWords(parts: CleanWordsParts, { subject }: ClaimedJob): Promise<void> {
  const { words: recording, call } = subject as { words: string; call: string }
  if (await parts.isElsewhere(recording, call)) throw new OfAnother('The journal is on the disk')
  if (await parts.areInUse(recording, call))
    throw new NotYet('something is being done with what was said in it', limits.jobs.lookMs)
  if (await parts.drop(recording)) await parts.dropWritten()
}
