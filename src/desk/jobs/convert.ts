import type { CallEvent } from '../../call/events.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Conversion } from '../../recording/convert.ts'
import type { OpusCodec } from '../../recording/opus.ts'
import {
  convertedSound,
  dropWritten,
  isThere,
  removeSound,
  type SoundFolders,
  writtenSound,
} from '../../recording/sound-files.ts'
import type { SoundStanding } from '../../store/recording-files.ts'
import { type Handler, NotYet, OfAnother } from '../working.ts'

export interface ConvertParts {
  readonly folders: SoundFolders
  readonly encoder: () => OpusCodec
  readonly convert: (conversion: Conversion, signal: AbortSignal) => Promise<number>
  /** This gateway, by its journal. */
  readonly home: string
  readonly standing: (sound: { readonly name: string; readonly call: string }) => Promise<SoundStanding>
  /** Of a call that has ended elsewhere than here, and whose sound may have gone on until then. */
  readonly recordingsOf: (call: string) => Promise<readonly string[]>
  /** They talk with somebody else and may come back, or have: a gateway that was told to stop has left them to that. */
  readonly mayGoOn: (call: string) => boolean
  readonly tell: (event: CallEvent) => void
  /** What was told is on the disk. */
  readonly kept: () => Promise<void>
  readonly clock: Clock
}

/**
 * From the form that can be written during a call to the one that is small. Cut off anywhere it begins anew: until the new form
 * and its event are on the disk the old one is there.
 */
export function convert(parts: ConvertParts): Handler {
  return async ({ business, subject, attempts }, signal) => {
    const call = String(subject['call'])
    const { recording } = subject
    if (recording === undefined && parts.mayGoOn(call))
      throw new NotYet('its caller may come back to it', limits.recording.convert.backMs)
    const names = recording === undefined ? await parts.recordingsOf(call) : [String(recording)]
    const elsewhere: OfAnother[] = []
    for (const name of names) {
      await convertOne(parts, { call, business, name, attempts }, signal).catch(error => {
        if (!(error instanceof OfAnother)) throw error
        elsewhere.push(error)
      })
    }
    if (elsewhere[0]) throw elsewhere[0]
  }
}

interface Wanted {
  readonly call: string
  readonly business: string
  readonly name: string
  readonly attempts: number
}

async function convertOne(parts: ConvertParts, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const { call, business, name, attempts } = wanted
  const { folders, clock } = parts
  const { deleted, converted, home } = await parts.standing({ name, call })
  if (deleted) return removeAll(folders, name)
  const sound = await writtenSound(folders, name)
  if (!sound) {
    if (converted || (await convertedSound(folders, name))) return
    if (home !== null && home !== parts.home) throw new OfAnother('The sound is on the disk')
    const why = 'the sound is not on the disk of this gateway'
    // Somebody may be deleting it: the file goes before that is told.
    throw new GatewayError('SOUND_UNREADABLE', why, { retryable: home === null || attempts === 1 })
  }
  const bytes = await parts.convert({ ...sound, encoder: parts.encoder() }, signal)
  if (!(await isThere(sound.source))) {
    // It was deleted meanwhile: what was made of it goes, too.
    return removeAll(folders, name)
  }
  const fact = { name: 'recordingConverted', recording: name, bytes } as const
  parts.tell({ call, business, atMs: clock.wallMs(), fact })
  await parts.kept()
  await dropWritten(sound)
}

async function removeAll(folders: SoundFolders, name: string): Promise<void> {
  await removeSound(folders.recordings, name)
  await removeSound(folders.voicemail, name)
}
