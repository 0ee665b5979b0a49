import { constants } from 'node:fs'
import { access, type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { GatewayError } from '../errors.ts'
import { syncFolder } from './convert.ts'

/** Where what was heard stands on the disk. */
export interface SoundFolders {
  readonly recordings: string
  readonly voicemail: string
}

export function soundFolders(stateDir: string): SoundFolders {
  return { recordings: join(stateDir, 'recordings'), voicemail: join(stateDir, 'voicemail') }
}

/** In which a sound may stand there, the one that was made of the others first. */
const forms = [
  ['.opus', 'audio/ogg'],
  ['.wav', 'audio/wav'],
  ['.au', 'audio/basic'],
] as const
const written = ['.au', '.wav'] as const

export interface OpenSound {
  readonly file: FileHandle
  readonly type: (typeof forms)[number][1]
}

/** Nothing where it stands in no form. Whoever gets it closes it. */
export async function openSound(folder: string, name: string): Promise<OpenSound | undefined> {
  for (const [extension, type] of forms) {
    try {
      return { file: await open(pathOf(folder, name, extension), constants.O_RDONLY), type }
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return undefined
}

export interface WrittenSound {
  readonly source: string
  /** What it becomes. */
  readonly target: string
}

/** As it was written while it was heard, wherever it stands. */
export async function writtenSound(folders: SoundFolders, name: string): Promise<WrittenSound | undefined> {
  for (const folder of [folders.recordings, folders.voicemail]) {
    for (const extension of written) {
      const source = pathOf(folder, name, extension)
      if (await isThere(source)) return { source, target: pathOf(folder, name, '.opus') }
    }
  }
  return undefined
}

/** As it was made of that, wherever it stands. */
export async function convertedSound(folders: SoundFolders, name: string): Promise<string | undefined> {
  for (const folder of [folders.recordings, folders.voicemail]) {
    const path = pathOf(folder, name, '.opus')
    if (await isThere(path)) return path
  }
  return undefined
}

/** In whichever form. */
export async function standsIn(folder: string, name: string): Promise<boolean> {
  for (const [extension] of forms) if (await isThere(pathOf(folder, name, extension))) return true
  return false
}

/** The new form stands there: the one before goes. */
export async function dropWritten({ source, target }: WrittenSound): Promise<void> {
  await unlinkIfThere(source)
  await syncFolder(join(target, '..'))
}

/**
 * In all its forms, the folder synced; true when there was any. A conversion that is under way finds its own file gone, or
 * ends before what it has made goes: in this order.
 */
export async function removeSound(folder: string, name: string): Promise<boolean> {
  let any = false
  for (const extension of ['.opus.part', '.au', '.wav', '.opus'])
    any = (await unlinkIfThere(pathOf(folder, name, extension))) || any
  if (any) await syncFolder(folder)
  return any
}

/** An id that is asked for from outside is never a way to another folder. */
function pathOf(folder: string, name: string, extension: string): string {
  if (!/^[\w-][\w.-]{0,199}$/.test(name)) throw new GatewayError('BUG', 'A sound has a name that cannot be a file.')
  return join(folder, `${name}${extension}`)
}

async function unlinkIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

export function isMissing(error: unknown): boolean {
  return Object(error).code === 'ENOENT'
}
