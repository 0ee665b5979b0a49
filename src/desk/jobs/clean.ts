import type { Business } from '../../business.ts'
import type { Clock } from '../../clock.ts'
import type { DeleteSound, KeptSound } from '../deleting.ts'
import type { Handler } from '../working.ts'

export interface CleanParts {
  readonly businesses: () => readonly Pick<Business, 'id' | 'recording' | 'voicemail'>[]
  /** Older than that, some at a time: what is over and not deleted yet. */
  readonly due: (kind: KeptSound['kind'], business: string, before: Date) => Promise<readonly KeptSound[]>
  readonly deleteSound: DeleteSound
  /** The record knows what was deleted. */
  readonly known: () => Promise<void>
  readonly clock: Clock
}

const DAY_MS = 24 * 3_600_000

/** What a business keeps no longer goes. */
export function clean({ businesses, due, deleteSound, known, clock }: CleanParts): Handler {
  return async (_job, signal) => {
    for (const { id, recording, voicemail } of businesses()) {
      for (const [kind, { days }] of [['recording', recording] as const, ['voicemail', voicemail] as const]) {
        const before = new Date(clock.wallMs() - days * DAY_MS)
        let last: string | undefined
        for (let sounds = await due(kind, id, before); sounds.length > 0; sounds = await due(kind, id, before)) {
          // The record has not taken it yet: the next day's job finds it.
          if (sounds[0]!.name === last) break
          last = sounds[0]!.name
          for (const sound of sounds) {
            signal.throwIfAborted()
            await deleteSound(sound, 'age')
          }
          await known()
        }
      }
    }
  }
}
