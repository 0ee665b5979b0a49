import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AU_HEADER_BYTES, readAuHeader } from '../../../src/recording/au.ts'
import { convertSound } from '../../../src/recording/convert.ts'
import { findRecordings, type KnownRecording } from '../../../src/recording/found.ts'
import { type OpusTools, opusTools } from '../../support/opus-tools.ts'
import { spawnTied } from '../../support/tied.ts'
import { until } from '../../support/until.ts'

let folder = ''
let tools: OpusTools
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-killed-'))
  tools = await opusTools()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** In a process of its own. */
class Recorder {
  readonly said: string[] = []
  readonly #child: ChildProcess

  constructor(recording: string) {
    const program = [join(import.meta.dirname, 'recorder.ts'), folderOf(recording), recording]
    const env = { PATH: process.env['PATH'] }
    this.#child = spawnTied(process.execPath, program, { stdio: ['pipe', 'pipe', 'inherit'], env })
    createInterface(this.#child.stdout!).on('line', line => this.said.push(line))
  }

  async says(word: string): Promise<string> {
    const found = () => this.said.find(line => line.startsWith(word))
    await until(() => found() !== undefined)
    return found()!
  }

  async end(): Promise<number> {
    this.#child.stdin!.write('end\n')
    return Number((await this.says('ended')).split(' ')[1])
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}

const folderOf = (recording: string) => join(folder, recording.slice(0, 1))
const pathOf = (recording: string) => join(folderOf(recording), `${recording}.au`)
const bytesOf = (recording: string) => (existsSync(pathOf(recording)) ? statSync(pathOf(recording)).size : 0)

/** What the next life tells of it, by what it knows. */
async function foundOf(recording: string, known: readonly KnownRecording[] = []) {
  const { events, strange } = await findRecordings({
    ...{ folder: folderOf(recording), mayGoOn: () => false, nowMs: Date.now() },
    known: async ids => known.filter(({ id }) => ids.includes(id)),
  })
  expect(strange).toEqual([])
  return events.flatMap(({ call, business, fact }) =>
    'recording' in fact && fact.recording === recording ? [{ call, business, ...fact }] : [],
  )
}

/** How much of the file is what the line says. */
const heardIn = (file: Buffer) => file.subarray(AU_HEADER_BYTES).filter(byte => byte === 77).length

describe('a gateway killed with -9 while it records', () => {
  const moments: readonly (readonly [string, string, (recording: string, recorder: Recorder) => Promise<unknown>])[] = [
    ['before the first pair', 'a'.repeat(22), async () => {}],
    ['while it writes', 'b'.repeat(22), recording => until(() => bytesOf(recording) > 8_000)],
    ['between the end of the file and its event', 'c'.repeat(22), (_, recorder) => recorder.end()],
  ]
  it.concurrent.each(moments)(
    '%s: the next finds what was heard, and goes on in the same file',
    async (_, id, moment) => {
      const first = new Recorder(id)
      await first.says('begun')
      await moment(id, first)
      await first.kill()
      const bytes = bytesOf(id)
      const seconds = Math.ceil(Math.max(0, bytes - AU_HEADER_BYTES) / 16_000)
      const cut = { call: 'c1', business: 'dentist', name: 'recordingEnded', recording: id, why: 'cut', shedFrames: 0 }
      // Killed before anything of it was on the disk there is nothing to be told.
      expect(await foundOf(id)).toEqual(bytes === 0 ? [] : [{ ...cut, seconds }])
      const known = { id, call: 'c1', business: 'dentist', ended: true, converted: false }
      expect(await foundOf(id, [known])).toEqual([])
      const before = bytes === 0 ? Buffer.alloc(0) : readFileSync(pathOf(id))

      const second = new Recorder(id)
      await second.says(bytes === 0 ? 'begun' : 'again')
      // What fills the time in between is silence, however long a busy machine takes.
      await until(() => bytesOf(id) > 0 && heardIn(readFileSync(pathOf(id))) > heardIn(before) + 3_000)
      const whole = await second.end()
      await second.kill()
      const after = readFileSync(pathOf(id))
      expect(after.subarray(0, before.length - (before.length % 2))).toEqual(
        before.subarray(0, before.length - (before.length % 2)),
      )
      expect(readAuHeader(after)?.note).toMatchObject({ id, call: 'c1' })
      expect((after.length - AU_HEADER_BYTES) / 16_000).toBeCloseTo(whole, 5)
      expect(heardIn(after)).toBeGreaterThan(heardIn(before) + 3_000)
      const target = join(folderOf(id), `${id}.opus`)
      await convertSound({ source: pathOf(id), target, encoder: 'WebAssembly' })
      expect(await tools.info(target)).not.toMatch(/warning|error/i)
    },
  )
})
