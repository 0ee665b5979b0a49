import { type ChildProcess, spawn } from 'node:child_process'
import { type FileHandle, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Clock, within } from '../../clock.ts'
import { runCommand } from '../../debian/command.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Search } from './listening.ts'
import { ownFolder } from './own-folder.ts'
import type { SpeechPrograms } from './programs.ts'

/**
 * Without `-hyp` the log does not tell the words either. With a grammar the second pass, `-bestpath`, takes ten times as
 * long as the first and finds nothing better.
 */
export const recognition = [
  ...['-adcin', 'yes', '-cepext', '.raw', '-hyp', '/dev/null', '-bestpath', 'no', '-loglevel', 'INFO'],
  // Tuned with test/corpus: the price of a word, and how many of the model's sounds are looked at.
  ...['-wip', '0.05', '-topn', '8'],
  // The model's sounds as they are over a telephone: see scripts/adapt-model.ts.
  ...['-mllr', fileURLToPath(new URL('telephone.mllr', import.meta.url))],
]

/** The log's line about what was heard: the words, the recording's name, a score. */
export const heardLine = /^(.*?) ?\((u\d+) (-?\d+)\)$/

export interface Heard {
  readonly words: string
  /** How well they fit; only to be compared with that of the same recording. */
  readonly score: number
}

/**
 * One pocketsphinx, its model loaded, hearing one recording after another: their names go through a FIFO, which ends
 * with this process, and so the recognizer never outlives it. Recordings lie in a folder of its owner's alone and go
 * once they were heard.
 */
export class RecognizerProcess {
  readonly #clock: Clock
  readonly #folder: string
  readonly #names: FileHandle
  readonly #child: ChildProcess
  readonly #waiting = new Map<string, PromiseWithResolvers<Heard>>()
  readonly #ended = Promise.withResolvers<GatewayError>()
  #end: GatewayError | undefined
  #count = 0

  private constructor(folder: string, names: FileHandle, command: readonly string[], clock: Clock) {
    this.#clock = clock
    this.#folder = folder
    this.#names = names
    this.#child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] })
    createInterface(this.#child.stderr!).on('line', line => this.#read(line))
    this.#child.once('error', error => this.#over(error.message))
    this.#child.once('exit', (code, signal) => this.#over(signal ?? `exit code ${code}`))
  }

  static async start({ recognizer, model }: SpeechPrograms, search: Search, clock: Clock): Promise<RecognizerProcess> {
    const folder = await ownFolder('hearing')
    try {
      const names = join(folder, 'names')
      const made = await runCommand(['mkfifo', '-m', '600', names], { clock, timeoutMs: limits.debian.commandMs })
      if (made.code !== 0) throw new GatewayError('ENGINE_FAILED', `mkfifo failed: ${made.stderr.trim()}`)
      const listening = await laid(search, folder, model)
      const files = ['-hmm', join(model, 'en-us'), '-ctl', names, '-cepdir', folder]
      // For both ways: else opening would wait for the other side, and each recording would seem to be the last.
      const handle = await open(names, 'r+')
      return new RecognizerProcess(folder, handle, [...recognizer, ...files, ...listening, ...recognition], clock)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Resolves with the reason when the program has ended. */
  get ended(): Promise<GatewayError> {
    return this.#ended.promise
  }

  get running(): boolean {
    return this.#end === undefined
  }

  /** Of a recording at 16 kHz; rejects when the program ends or takes too long. */
  async recognize(samples: Int16Array): Promise<Heard> {
    if (this.#end) throw this.#end
    const name = `u${++this.#count}`
    const file = join(this.#folder, `${name}.raw`)
    const result = Promise.withResolvers<Heard>()
    this.#waiting.set(name, result)
    // It may end while nobody awaits it yet.
    result.promise.catch(() => {})
    try {
      await writeFile(file, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), { mode: 0o600 })
      await this.#names.write(`${name}\n`)
      const late = () => new GatewayError('ENGINE_FAILED', 'The recognizer pocketsphinx did not answer in time.')
      return await within(this.#clock, limits.local.recognizeMs, result.promise, late)
    } finally {
      this.#waiting.delete(name)
      await rm(file, { force: true })
    }
  }

  /** Ends the program and removes what it was told. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended.promise
    await this.#names.close().catch(() => {})
    await rm(this.#folder, { recursive: true, force: true })
  }

  #read(line: string): void {
    const [, words = '', name = '', score] = heardLine.exec(line) ?? []
    // "read(2)" is another way to say "read".
    this.#waiting.get(name)?.resolve({ words: words.replace(/\(\d+\)/g, ''), score: Number(score) })
  }

  #over(why: string): void {
    this.#end ??= new GatewayError('ENGINE_FAILED', `The recognizer pocketsphinx has ended (${why}).`)
    for (const each of this.#waiting.values()) each.reject(this.#end)
    this.#ended.resolve(this.#end)
  }
}

async function laid(search: Search, folder: string, model: string): Promise<string[]> {
  if (search.kind === 'free') {
    return ['-dict', join(model, 'cmudict-en-us.dict'), '-lm', join(model, 'en-us.lm.bin')]
  }
  const [jsgf, dictionary] = [join(folder, 'grammar.jsgf'), join(folder, 'words.dict')]
  await Promise.all([writeFile(jsgf, search.jsgf), writeFile(dictionary, search.dictionary)])
  return ['-dict', dictionary, '-jsgf', jsgf]
}
