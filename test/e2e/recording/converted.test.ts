import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encode } from '../../../src/media/g711.ts'
import { auHeader } from '../../../src/recording/au.ts'
import { convertAside } from '../../../src/recording/converter.ts'
import { bestCodec, type OpusCodec } from '../../../src/recording/opus.ts'
import { type OpusTools, opusTools } from '../../support/opus-tools.ts'
import { spawnTied } from '../../support/tied.ts'
import { until } from '../../support/until.ts'

const RATE = 8_000
let folder = ''
let tools: OpusTools
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-converted-'))
  tools = await opusTools()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The caller is heard in every even second, the agent in every odd one, each by a tone of their own. */
const tones = [400, 900] as const

function sampleAt(at: number, side: 0 | 1): number {
  return Math.floor(at / RATE) % 2 === side ? 8_000 * Math.sin((2 * Math.PI * tones[side] * at) / RATE) : 0
}

function recorded(name: string, seconds: number, law: 'ulaw' | 'alaw' = 'ulaw'): string {
  const samples = Int16Array.from({ length: 2 * seconds * RATE }, (_, at) => sampleAt(at >> 1, (at & 1) as 0 | 1))
  const bytes = new Uint8Array(samples.length)
  encode(law, samples, bytes)
  const note = { id: name, call: 'c1', business: 'dentist', beganAtMs: 0 }
  const path = join(folder, `${name}.au`)
  writeFileSync(path, Buffer.concat([auHeader({ law, channels: 2 }, note), bytes]))
  return path
}

/** The samples of each side, by somebody else's decoder. */
async function decoded(path: string): Promise<readonly [Int16Array, Int16Array]> {
  const wav = `${path}.wav`
  await tools.decode(path, wav)
  const file = readFileSync(wav)
  rmSync(wav)
  expect([file.readUInt16LE(22), file.readUInt32LE(24), file.toString('latin1', 36, 40)]).toEqual([2, RATE, 'data'])
  const both = new Int16Array(file.buffer, file.byteOffset + 44, (file.length - 44) >> 1)
  return [both.filter((_, at) => at % 2 === 0), both.filter((_, at) => at % 2 === 1)]
}

/** How much of a sound is a tone that stands just where it stood: 1 when all of it is. */
function likeness(heard: Int16Array, side: 0 | 1): number {
  let product = 0
  let ours = 0
  let theirs = 0
  for (let at = 0; at < heard.length; at++) {
    const sample = sampleAt(at, side)
    product += sample * heard[at]!
    ours += sample * sample
    theirs += heard[at]! * heard[at]!
  }
  return product / Math.sqrt(ours * theirs)
}

const encoders: readonly OpusCodec[] = bestCodec() === 'compiled' ? ['WebAssembly', 'compiled'] : ['WebAssembly']

describe.each(encoders)('a recording that was converted by the %s libopus', encoder => {
  it.each(['ulaw', 'alaw'] as const)('is what was recorded, of %s, for the tools of others', async law => {
    const source = recorded('whole', 6, law)
    const target = join(folder, 'whole.opus')
    await convertAside({ source, target, encoder }, new AbortController().signal)
    const told = await tools.info(target)
    expect(told).not.toMatch(/warning|error/i)
    expect(told).toMatch(/Playback length: 0m:06\.000s/)
    expect(told).toMatch(/Channels: 2/)
    const [left, right] = await decoded(target)
    expect([left.length, right.length]).toEqual([6 * RATE, 6 * RATE])
    for (const [side, heard] of [left, right].entries()) expect(likeness(heard, side as 0 | 1)).toBeGreaterThan(0.95)
    expect(statSync(target).mode & 0o777).toBe(0o600)
  })
})

/** In a process of its own. */
class Converter {
  readonly said: string[] = []
  readonly #child: ChildProcess

  constructor(recording: string, end: string) {
    const program = [join(import.meta.dirname, 'converter.ts'), folder, recording, end]
    const env = { PATH: process.env['PATH'] }
    this.#child = spawnTied(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'], env })
    createInterface(this.#child.stdout!).on('line', line => this.said.push(line))
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  async done(): Promise<void> {
    await once(this.#child, 'close')
    expect(this.said).toContain('done')
  }
}

describe('a gateway killed with -9 while it converts', () => {
  const moments: readonly (readonly [string, string, () => boolean])[] = [
    ['in the middle', 'begins', () => partOf('killed') > 4_096],
    ['before it has told it', 'renamed', () => existsSync(join(folder, 'killed.opus'))],
    ['when it has told it', 'told', () => true],
  ]
  it.each(moments)('%s leaves a sound, and the next makes what was to be made', async (_, stage, moment) => {
    // So long that the middle is one.
    recorded('killed', stage === 'begins' ? 60 : 3)
    rmSync(join(folder, 'killed.opus'), { force: true })
    const first = new Converter('killed', stage === 'begins' ? 'never' : stage)
    await until(() => first.said.includes(stage) && moment())
    await first.kill()
    expect(existsSync(join(folder, 'killed.au'))).toBe(true)
    if (stage === 'begins') recorded('killed', 3)
    const second = new Converter('killed', 'never')
    await second.done()
    expect(second.said.find(line => line.includes('recordingConverted'))).toContain(`"bytes":${sizeOf('killed.opus')}`)
    expect(readdirSync(folder).filter(name => name.startsWith('killed'))).toEqual(['killed.opus'])
    expect(await tools.info(join(folder, 'killed.opus'))).toMatch(/Playback length: 0m:03\.000s/)
  })
})

function sizeOf(name: string): number {
  return statSync(join(folder, name)).size
}

function partOf(name: string): number {
  const part = `${name}.opus.part`
  return existsSync(join(folder, part)) ? sizeOf(part) : 0
}
