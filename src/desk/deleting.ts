import type { CallEvent } from '../call/events.ts'
import type { DeletedBy } from '../call/kept-events.ts'
import type { Clock } from '../clock.ts'
import { removeSound, type SoundFolders } from '../recording/sound-files.ts'

export interface KeptSound {
  readonly kind: 'recording' | 'voicemail'
  readonly name: string
  readonly call: string
  readonly business: string
}

/** Where it stands: only that gateway can take it away. */
export interface HousedSound extends KeptSound {
  readonly home: string | null
}

export type DeleteSound = (sound: KeptSound, by: DeletedBy) => Promise<void>

export interface DeletingParts {
  readonly folders: SoundFolders
  readonly tell: (event: CallEvent) => void
  /** What was told is on the disk, and in the record as far as that can be now: whoever asks next finds it gone. */
  readonly kept: () => Promise<void>
  readonly clock: Clock
}

/** The file first: what is told to be gone is gone. Cut off in between it is deleted once more; asked for by two it is deleted once. */
export function deleting({ folders, tell, kept, clock }: DeletingParts): DeleteSound {
  const underWay = new Map<string, Promise<void>>()
  const deleteOne = async ({ kind, name, call, business }: KeptSound, by: DeletedBy) => {
    await removeSound(kind === 'recording' ? folders.recordings : folders.voicemail, name)
    const fact = kind === 'recording' ? 'recordingDeleted' : 'voicemailDeleted'
    tell({ call, business, atMs: clock.wallMs(), fact: { name: fact, recording: name, by } })
    await kept()
  }
  return (sound, by) => {
    const key = `${sound.kind} ${sound.name}`
    const going = underWay.get(key) ?? deleteOne(sound, by).finally(() => underWay.delete(key))
    underWay.set(key, going)
    return going
  }
}
