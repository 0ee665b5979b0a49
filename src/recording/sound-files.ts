import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { GatewayError } from '../errors.ts'

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

export interface OpenSound {
  readonly file: FileHandle
  readonly path: string
  readonly type: (typeof forms)[number][1]
}

/** Nothing where it stands in no form. Whoever gets it closes it. */
export async function openSound(folder: string, name: string): Promise<OpenSound | undefined> {
  for (const [extension, type] of forms) {
    const path = pathOf(folder, name, extension)
    try {
      return { file: await open(path, constants.O_RDONLY), path, type }
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return undefined
}

/** An id that is asked for from outside is never a way to another folder. */
function pathOf(folder: string, name: string, extension: string): string {
  if (!/^[\w-][\w.-]{0,199}$/.test(name)) throw new GatewayError('BUG', 'A sound has a name that cannot be a file.')
  return join(folder, `${name}${extension}`)
}

function isMissing(error: unknown): boolean {
  return Object(error).code === 'ENOENT'
}
