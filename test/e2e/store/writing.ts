import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'vitest'
import { spawnTied } from '../../support/tied.ts'

export interface Place {
  /** Where the journal is. */
  readonly state: string
  readonly folder: string
  /** A server, instead of the folder. */
  readonly url?: string | undefined
}

/** The program writer.ts, and what it has said. */
export class Writer {
  readonly trouble: string[] = []
  /** Names of calls. */
  readonly acknowledged: string[] = []
  readonly #name: string
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  readonly #counts: Record<string, number> = { open: 0, taking: 0, taken: 0, appended: 0, finished: 0 }
  #errors = ''
  #broken = ''
  #hasEnded = false
  /** Of those who wait. */
  readonly #looks = new Set<() => void>()

  /** Inside another program, such as one that lays its folders on another disk. */
  constructor(name: string, { state, folder, url = '' }: Place, within: readonly string[] = []) {
    this.#name = name
    const program = [process.execPath, join(import.meta.dirname, 'writer.ts'), name, state, folder, url]
    const [first = '', ...rest] = [...within, ...program]
    this.#process = spawnTied(first, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } })
    createInterface({ input: this.#process.stdout! }).on('line', line => this.#hear(line))
    this.#process.stderr!.on('data', data => {
      this.#errors += data
    })
    this.#ended = new Promise(resolve => {
      this.#process.once('close', () => {
        this.#hasEnded = true
        resolve()
        this.#look()
      })
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  count(word: string): number {
    return word === 'acknowledged' ? this.acknowledged.length : (this.#counts[word] ?? 0)
  }

  /** So many more of it from now on. */
  async says(word: 'taking' | 'taken' | 'appended' | 'acknowledged', times = 1): Promise<void> {
    const before = this.count(word)
    await this.until(() => this.count(word) >= before + times)
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (condition()) resolve()
        else if (!this.#hasEnded) return
        else reject(new Error(`the writer ended early: ${[...this.trouble, this.#errors].join('\n')}`))
        this.#looks.delete(look)
      }
      this.#looks.add(look)
      look()
    })
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#ended
  }

  killThreadWhile(moment: 'taking' | 'taken'): void {
    this.#process.stdin!.write(`${JSON.stringify({ kill: moment })}\n`)
  }

  /** All that it has written is in the database, and nothing that it or others have acknowledged is lost or doubled. */
  async finish(...others: readonly Writer[]): Promise<void> {
    const finish = others.flatMap(({ acknowledged }) => acknowledged)
    this.#process.stdin!.write(`${JSON.stringify({ finish })}\n`)
    await this.until(() => this.count('finished') === 1)
    await this.#ended
    expect(this.acknowledged).toHaveLength(this.count('appended'))
    expect(this.#broken).toBe('[]')
  }

  #hear(line: string): void {
    const [, word = '', what = ''] = /^(\w+) (.*)$/.exec(line) ?? []
    if (word === 'trouble') this.trouble.push(what)
    else if (word === 'broken') this.#broken = what
    else if (word === 'acknowledged') this.acknowledged.push(`${this.#name}-${what}`)
    else this.#counts[word] = this.count(word) + 1
    this.#look()
  }

  #look(): void {
    for (const look of this.#looks) look()
  }
}
