import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { encode } from '../../src/media/g711.ts'
import { writeStereoWav } from '../../src/media/wav.ts'
import { auHeader } from '../../src/recording/au.ts'
import { convertSound } from '../../src/recording/convert.ts'
import { readOgg } from '../support/ogg.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-convert-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const note = { id: 'x', call: 'c1', business: 'dentist', beganAtMs: 0 }
const path = (name: string) => join(folder, name)

/** As a recording stands there: so many samples of each side. */
function recorded(samples: number, channels: 1 | 2 = 2, law: 'ulaw' | 'alaw' = 'ulaw'): string {
  const sound = Int16Array.from({ length: samples * channels }, (_, at) => 8_000 * Math.sin(at / 7))
  const bytes = new Uint8Array(sound.length)
  encode(law, sound, bytes)
  writeFileSync(path('x.au'), Buffer.concat([auHeader({ law, channels }, note), bytes]))
  return path('x.au')
}

async function converted(source: string) {
  const bytes = await convertSound({ source, target: path('x.opus'), encoder: 'WebAssembly' })
  const file = readFileSync(path('x.opus'))
  expect(file.length).toBe(bytes)
  return readOgg(file)
}

it('is as long as the sound, to the sample, however long that is', async () => {
  const lengths = fc.oneof(
    fc.constantFrom(0, 1, 107, 108, 109, 159, 160, 161, 8_000),
    fc.integer({ min: 0, max: 25_000 }),
  )
  await fc.assert(
    fc.asyncProperty(lengths, fc.constantFrom(1 as const, 2 as const), async (samples, channels) => {
      const { head, pages } = await converted(recorded(samples, channels))
      expect(head.channels).toBe(channels)
      expect(pages.at(-1)!.granule - head.preSkip).toBe(samples * 6)
      // RFC 7845, 4: all that stands before the end is there, and of the end no more than one packet too much.
      const packets = pages.slice(2).reduce((sum, page) => sum + page.packets, 0)
      const over = packets * 960 - pages.at(-1)!.granule
      expect([over >= 0, over < 960]).toEqual([true, true])
    }),
    { numRuns: 25 },
  )
})

it('stands in pages of a second, each with a checksum and its number, of which the last says that it is', async () => {
  const { pages } = await converted(recorded(3 * 8_000 + 5))
  expect(pages.map(({ sequence }) => sequence)).toEqual(pages.map((_, at) => at))
  expect(pages.map(({ flags }) => flags)).toEqual([2, 0, ...pages.slice(3).map(() => 0), 4])
  expect(pages.map(({ granule }) => granule)).toEqual([0, 0, 48_000, 96_000, 144_000, 312 + (3 * 8_000 + 5) * 6])
  expect(pages.every(({ sound }) => sound)).toBe(true)
})

it('leaves the rest of a sample away that was cut', async () => {
  const source = recorded(800)
  writeFileSync(source, readFileSync(source).subarray(0, -1))
  const { head, pages } = await converted(source)
  expect(pages.at(-1)!.granule - head.preSkip).toBe(799 * 6)
})

it('is made of what others have recorded, too', async () => {
  const sound = new Int16Array(800).fill(1_000)
  writeFileSync(path('x.wav'), writeStereoWav(sound, sound, 8_000))
  const { head, pages } = await converted(path('x.wav'))
  expect([head.channels, pages.at(-1)!.granule - head.preSkip]).toEqual([1, 4_800])
})

it('tells in words what it cannot read, and leaves nothing under the name of a sound', async () => {
  rmSync(path('x.opus'), { force: true })
  writeFileSync(path('x.au'), 'no sound at all, and long enough for a header')
  const failing = convertSound({ source: path('x.au'), target: path('x.opus'), encoder: 'WebAssembly' })
  await expect(failing).rejects.toMatchObject({ code: 'SOUND_UNREADABLE', retryable: false })
  expect(readdirSync(folder)).not.toContain('x.opus')
})
