import type { Business } from '../../business.ts'
import type { DeletedBy } from '../../call/kept-events.ts'
import type { Clock } from '../../clock.ts'
import type { ClaimedJob } from '../../store/jobs.ts'
import type { DeleteSound, HousedSound, KeptSound } from '../deleting.ts'
import { type Handler, OfAnother } from '../working.ts'
import { type CleanWordsParts, cleanWords } from './clean-words.ts'

export interface CleanParts {
  /** This gateway, by its journal. */
  readonly home: string
  readonly businesses: () => readonly Pick<Business, 'id' | 'recording' | 'voicemail'>[]
  /** Older than that and here, or nobody knows where; some at a time: what is over and not deleted yet. */
  readonly due: (kind: KeptSound['kind'], business: string, before: Date) => Promise<readonly HousedSound[]>
  readonly isDeleted: (sound: KeptSound) => Promise<boolean>
  /** On this disk. */
  readonly isHere: (sound: KeptSound) => Promise<boolean>
  readonly deleteSound: DeleteSound
  readonly words: CleanWordsParts
  readonly clock: Clock
}

const DAY_MS = 24 * 3_600_000

/** What a business keeps no longer goes, and what somebody has asked to; then what was written down of it. */
export function clean(parts: CleanParts): Handler {
  return async (job, signal) => {
    const { at, name, words } = job.subject
    if (words !== undefined) return cleanWords(parts.words, job)
    if (at !== undefined && at !== parts.home) throw new OfAnother('It is on the disk')
    if (name !== undefined) return deleteAsked(parts, job)
    for (const { id, recording, voicemail } of parts.businesses()) {
      await deleteOld(parts, { kind: 'recording', business: id, days: recording.days }, signal)
      await deleteOld(parts, { kind: 'voicemail', business: id, days: voicemail.days }, signal)
    }
    if (await parts.words.wentElsewhere()) await parts.words.dropWritten()
  }
}

async function deleteAsked(parts: CleanParts, { business, subject }: ClaimedJob): Promise<void> {
  const { sound: kind, name, call, by, at } = subject as { sound: KeptSound['kind'] } & Record<string, string>
  const sound = { kind, name: String(name), call: String(call), business }
  if (await parts.isDeleted(sound)) return
  if (at === undefined && !(await parts.isHere(sound))) throw new OfAnother('It is on the disk')
  await parts.deleteSound(sound, by as DeletedBy)
}

interface Old {
  readonly kind: KeptSound['kind']
  readonly business: string
  readonly days: number
}

async function deleteOld(
  { due, isHere, deleteSound, clock }: CleanParts,
  { kind, business, days }: Old,
  signal: AbortSignal,
): Promise<void> {
  const before = new Date(clock.wallMs() - days * DAY_MS)
  let last: string | undefined
  for (let sounds = await due(kind, business, before); sounds.length > 0; sounds = await due(kind, business, before)) {
    // The record has not taken it yet, or it is elsewhere: the next day's job looks again.
    if (sounds[0]!.name === last) return
    last = sounds[0]!.name
    for (const sound of sounds) {
      signal.throwIfAborted()
      if (sound.home !== null || (await isHere(sound))) await deleteSound(sound, 'age')
    }
  }
}
