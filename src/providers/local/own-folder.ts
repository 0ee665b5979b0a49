import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const NAMES = /^parley-(?:speech|hearing|message)-(\d+)-/

/** For what a program beside us is to read or write; named by this process, for whoever comes after one that was killed. */
export function ownFolder(kind: 'speech' | 'hearing' | 'message', within = tmpdir()): Promise<string> {
  return mkdtemp(join(within, `parley-${kind}-${process.pid}-`))
}

/** What processes have left that run no more: words, and what callers have said. */
export async function sweepFolders(within = tmpdir()): Promise<void> {
  for (const name of await readdir(within)) {
    const [, owner] = NAMES.exec(name) ?? []
    // Of another user's nothing can be removed, and it is theirs to see to.
    if (owner && !isRunning(Number(owner)))
      await rm(join(within, name), { recursive: true, force: true }).catch(() => {})
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return Object(error).code !== 'ESRCH'
  }
}
