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

export type DeleteSound = (sound: KeptSound, by: DeletedBy) => Promise<void>

export interface DeletingParts {
  readonly folders: SoundFolders
  readonly tell: (event: CallEvent) => void
  /** What was told is on the disk. */
  readonly kept: () => Promise<void>
  readonly clock: Clock
}

/** The file first: what is told to be gone is gone. Cut off in between it is deleted once more. */
export function deleting({ folders, tell, kept, clock }: DeletingParts): DeleteSound {
  return async ({ kind, name, call, business }, by) => {
    await removeSound(kind === 'recording' ? folders.recordings : folders.voicemail, name)
    const fact = kind === 'recording' ? 'recordingDeleted' : 'voicemailDeleted'
    tell({ call, business, atMs: clock.wallMs(), fact: { name: fact, recording: name, by } })
    await kept()
  }
}
