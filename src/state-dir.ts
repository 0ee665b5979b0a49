import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, realpath } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { asError, GatewayError } from './errors.ts'

export interface StateDir {
  readonly path: string
  /** Tells this folder from any other on the machine: eight hexadecimal digits. */
  readonly mark: string
  release(): Promise<void>
}

/**
 * Takes STATE_DIR for this process alone: two gateways on one journal would tear it. The lock is a name in the kernel
 * (an abstract socket), so it ends with its holder, however that ends.
 */
export async function holdStateDir(directory: string): Promise<StateDir> {
  const path = await madeDirectory(directory)
  const mark = createHash('sha256').update(path).digest('hex').slice(0, 8)
  const server = createServer(socket => socket.destroy())
  const taken = () =>
    new GatewayError(
      'STATE_UNWRITABLE',
      `Another Parley is running on ${directory}. Stop it, or give this one a STATE_DIR of its own (and ports of its own).`,
    )
  await new Promise<void>((resolve, reject) => {
    server.once('error', () => reject(taken()))
    server.listen(`\0parley-state-${mark}`, resolve)
  })
  return { path, mark, release: () => new Promise(resolve => server.close(() => resolve())) }
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
