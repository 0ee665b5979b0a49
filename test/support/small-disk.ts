import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnTied } from './tied.ts'

const BLOCK = Buffer.alloc(64 * 1024)
/** An ordinary user may mount in a namespace of their own. */
const asRoot = process.getuid?.() === 0

/**
 * A disk that can be filled in earnest, without harm to anybody: in memory, mounted where only processes of ours see it. Not
 * every container lets its processes mount something: for tests that are run by name.
 */
export class SmallDisk implements AsyncDisposable {
  /** For whoever runs within. */
  readonly path: string
  /** For everybody. */
  readonly outside: string
  /** What a command that runs within begins with. */
  readonly within: readonly string[]
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess, path: string) {
    this.#holder = holder
    this.path = path
    this.outside = `/proc/${holder.pid}/root${path}`
    const user = asRoot ? [] : [['user', 'user']]
    const options = [...user, ['mount', 'mnt']]
    this.within = [
      'nsenter',
      '--preserve-credentials',
      ...options.map(([option, name]) => `--${option}=/proc/${holder.pid}/ns/${name}`),
    ]
  }

  static async open(megabytes: number): Promise<SmallDisk> {
    const path = await mkdtemp(join(tmpdir(), 'parley-disk-'))
    const script = `mount -t tmpfs -o size=${megabytes}m parley "$1" && echo mounted && exec cat`
    const holder = spawnTied(
      'unshare',
      [...(asRoot ? [] : ['--map-root-user']), '--mount', 'sh', '-c', script, 'sh', path],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    const [said] = await Promise.race([once(holder.stdout!, 'data'), once(holder, 'exit')])
    if (String(said) !== 'mounted\n') throw new Error('no small disk could be mounted: unshare failed')
    return new SmallDisk(holder, path)
  }

  /** To the last byte. */
  fill(): void {
    const file = openSync(join(this.outside, 'filler'), 'a')
    for (let size = BLOCK.length; size >= 1; ) {
      try {
        writeSync(file, BLOCK, 0, size)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        size = Math.floor(size / 2)
      }
    }
    closeSync(file)
  }

  free(): void {
    rmSync(join(this.outside, 'filler'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#holder, 'exit')
    this.#holder.stdin!.end()
    await ended
    await rm(this.path, { recursive: true })
  }
}
