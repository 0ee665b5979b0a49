import { readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallEvent, CallFact } from '../call/events.ts'
import { auMs, readAu } from './au.ts'
import { isMissing } from './sound-files.ts'

/** What the tables tell of a recording that has a file. */
export interface KnownRecording {
  readonly id: string
  readonly call: string
  readonly business: string
  readonly ended: boolean
  readonly converted: boolean
}

interface FoundDependencies {
  readonly folder: string
  /** Of those that are known. */
  readonly known: (ids: readonly string[]) => Promise<readonly KnownRecording[]>
  /** By its channel. This life writes into its file, or may do so yet, or tells its end itself. */
  readonly mayGoOn: (call: string) => boolean
  readonly nowMs: number
}

interface Found {
  readonly events: readonly CallEvent[]
  /** Stand there, and nobody knows whose they are. */
  readonly strange: readonly string[]
}

const DAY_MS = 24 * 60 * 60_000

/**
 * What an earlier life has left on the disk, told as events: recordings that nobody ended, and conversions that nobody told.
 * What a conversion has begun and left is begun anew, and goes.
 */
export async function findRecordings({ folder, known, mayGoOn, nowMs }: FoundDependencies): Promise<Found> {
  const names: readonly string[] = await readdir(folder).catch(() => [])
  const begun = names.filter(each => each.endsWith('.opus.part'))
  // Beside what it was to be made of somebody may be making it by now.
  for (const name of begun.filter(each => !names.includes(each.replace('.opus.part', '.au'))))
    await unlink(join(folder, name)).catch(() => {})
  const files = names.flatMap(name => {
    const [, id, form] = /^([\w-]{22})\.(au|opus)$/.exec(name) ?? []
    return id && form ? [{ id, form, path: join(folder, name) }] : []
  })
  const rows = new Map((await known([...new Set(files.map(({ id }) => id))])).map(row => [row.id, row]))
  const events: CallEvent[] = []
  const strange: string[] = []
  for (const { id, form, path } of files) {
    const row = rows.get(id)
    const file = await lookAt(path, form)
    // Converted or deleted since it was found.
    if (file === 'gone') continue
    const { mtimeMs, size, sound } = file
    const whose = row ?? sound?.note
    const tell = (fact: CallFact) => {
      if (whose) events.push({ call: whose.call, business: whose.business, atMs: mtimeMs, fact })
    }
    if (!whose) {
      if (nowMs - mtimeMs > DAY_MS) strange.push(id)
    } else if (form === 'au') {
      // The tables have a call by its record, which may be that of several channels.
      if (row?.ended || mayGoOn(sound?.note?.call ?? whose.call)) continue
      const seconds = Math.ceil(sound ? auMs(sound, size) / 1_000 : 0)
      tell({ name: 'recordingEnded', recording: id, seconds, why: 'cut', shedFrames: 0 })
    } else if (!row?.converted) tell({ name: 'recordingConverted', recording: id, bytes: size })
  }
  return { events, strange }
}

async function lookAt(path: string, form: string) {
  try {
    const { mtimeMs, size } = await stat(path)
    return { mtimeMs, size, sound: form === 'au' ? await readAu(path) : undefined }
  } catch (error) {
    if (isMissing(error)) return 'gone'
    throw error
  }
}
