import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Who may look into the folder of an Asterisk: the user who made it, or also the group that Asterisk runs as. */
export type Access = 'owner' | 'group'

/** Asterisk writes into all of them but the first, which is its configuration. */
const folders = ['etc', 'lib', 'cache', 'run', 'log', 'spool', 'spool/recording']

const modes = {
  owner: { own: 0o700, read: 0o700, file: 0o600 },
  // Whatever is written there later is of Asterisk's group, too.
  group: { own: 0o770, read: 0o2750, file: 0o640 },
} as const

/** Everything that an Asterisk with this configuration needs to find when it starts. */
export async function layFolders(
  directory: string,
  rendered: ReadonlyMap<string, string>,
  access: Access = 'owner',
): Promise<void> {
  const { own, read, file: fileMode } = modes[access]
  for (const folder of ['.', ...folders]) {
    const path = join(directory, folder)
    await mkdir(path, { recursive: true, mode: own })
    await chmod(path, folder === 'etc' ? read : own)
  }
  await rm(outputFile(directory), { force: true })
  // The errors of this start are told by what stands in its log; those of the one before are kept for a person.
  await rename(logFile(directory), join(directory, 'log/messages.before.log')).catch(() => {})
  for (const [file, text] of rendered) {
    const path = join(directory, 'etc', file)
    // It holds a password.
    await writeFile(path, text, { mode: fileMode })
  }
}

/** Of a configuration that is laid: whoever reads one of them reads it as a whole, old or new. */
export async function replaceFiles(
  directory: string,
  files: ReadonlyMap<string, string>,
  access: Access = 'owner',
): Promise<void> {
  const { file: mode } = modes[access]
  for (const [file, text] of files) {
    const path = join(directory, 'etc', file)
    await writeFile(`${path}.new`, text, { mode })
    await rename(`${path}.new`, path)
  }
}

export function logFile(directory: string): string {
  return join(directory, 'log/messages.log')
}

export function outputFile(directory: string): string {
  return join(directory, 'log/output.log')
}
