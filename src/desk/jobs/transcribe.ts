import type { StoredSound, Transcriber } from '../../agent/ports.ts'
import type { Business } from '../../business.ts'
import { type Handler, OfAnother } from '../working.ts'
import { type DeskParts, tellMade } from './desk-parts.ts'

export interface TranscribeParts extends DeskParts {
  readonly transcriber: Transcriber
  readonly sound: (recording: string) => Promise<Pick<StoredSound, 'wav' | 'seconds'>>
  /** Another gateway has it on its disk. */
  readonly isElsewhere: (recording: string, call: string) => Promise<boolean>
  /** Or of a caller who is forgotten. */
  readonly isDeleted: (recording: string, call: string) => Promise<boolean>
  /** That it is written down already, by whomever. */
  readonly isWritten: (recording: string) => Promise<boolean>
}

/** Writes down what a caller has left, once. */
export function transcribe(parts: TranscribeParts): Handler {
  const { transcriber, find, sound, isElsewhere, isDeleted, isWritten } = parts
  return async ({ business: id, subject }, signal) => {
    const { call, recording } = subject as { call: string; recording: string }
    const business = find(id)
    if (!business || (await isWritten(recording)) || (await isDeleted(recording, call))) return
    if (await isElsewhere(recording, call)) throw new OfAnother('The sound is on the disk')
    const { language } = business
    const hear = async () => {
      const heard = await sound(recording)
      return transcriber.transcribe({ ...heard, language, hints: hintsOf(business) }, signal)
    }
    const made = await hear().catch(async error => {
      if (await isDeleted(recording, call)) return undefined
      throw error
    })
    // Whoever has it deleted meanwhile wants no words of it.
    if (!made) return
    const { by = transcriber.by } = made
    const fact = { name: 'transcribed', recording, by, private: { text: made.text } } as const
    await tellMade(parts, { call, business: id }, made, fact)
  }
}

/** What a stranger to the business could not spell. */
function hintsOf({ name, services, destinations }: Business): readonly string[] {
  return [name, ...services.map(each => each.name), ...destinations.map(each => each.name)]
}
