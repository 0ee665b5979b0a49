import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { asError, GatewayError } from './errors.ts'
import { lockFile } from './file-lock.ts'
import { lockerOf } from './telephony/asterisk/holders.ts'

const LOCK = 'lock'

export interface StateDir {
  readonly path: string
  /** Tells this folder from any other on the machine: eight hexadecimal digits. */
  readonly mark: string
  release(): Promise<void>
}

/** Takes STATE_DIR for this process alone: two gateways on one journal would tear it. */
export async function holdStateDir(directory: string): Promise<StateDir> {
  const path = await madeDirectory(directory)
  const mark = createHash('sha256').update(path).digest('hex').slice(0, 8)
  const lock = lockOf(join(path, LOCK), directory)
  return { path, mark, release: async () => lock.release() }
}

function lockOf(file: string, directory: string): { release(): void } {
  let lock: { release(): void } | undefined
  try {
    lock = lockFile(file)
  } catch (error) {
    throw new GatewayError(
      'STATE_UNWRITABLE',
      `${file} cannot be locked (${asError(error).message}). Choose a STATE_DIR that this user may write to, on a disk that has room and takes locks.`,
      { cause: error },
    )
  }
  if (lock) return lock
  throw new GatewayError(
    'STATE_UNWRITABLE',
    `Another Parley is running on ${directory}, here or in another container. Stop it, or give this one a STATE_DIR of its own (and ports of its own).`,
  )
}

/** Whether a Parley runs on this folder, and which process that is as far as this user may see. */
export function holderOfStateDir(directory: string): ReturnType<typeof lockerOf> {
  return lockerOf(join(resolve(directory), LOCK))
}

async function madeDirectory(directory: string): Promise<string> {
  try {
    await makeFolder(resolve(directory))
    return await realpath(directory)
  } catch (error) {
    throw new GatewayError(
      'STATE_UNWRITABLE',
      `STATE_DIR ${directory} cannot be made (${asError(error).message}). Choose a folder that this user may write to.`,
      { cause: error },
    )
  }
}

/** Node's own recursive mkdir never ends where a folder is there but nothing can be made in it, as below /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    await makeFolder(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}
