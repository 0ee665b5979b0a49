import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { word } from '../../src/caller/voice.ts'
import { encode } from '../../src/media/g711.ts'
import { auHeader } from '../../src/recording/au.ts'
import { voicedMs } from '../../src/recording/voiced.ts'
import { seeded } from '../support/random.ts'
import { atLevel, whiteNoise } from '../support/sounds.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-voiced-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const noise = (ms: number) => Int16Array.from(atLevel(whiteNoise(ms, seeded(7)), -45))
const spoken = (ms: number) => word({ f0: 130, markerHz: 1_900, ms, level: -20, random: seeded(ms) })

function message(...sounds: readonly Int16Array[]): string {
  const path = join(folder, 'message.au')
  const note = { id: 'm', call: 'c', business: 'b', beganAtMs: 0 }
  const coded = sounds.map(samples => {
    const bytes = new Uint8Array(samples.length)
    encode('ulaw', samples, bytes)
    return bytes
  })
  writeFileSync(path, Buffer.concat([auHeader({ law: 'ulaw', channels: 1 }, note), ...coded]))
  return path
}

it('counts what is a voice, over all pieces of the file and as far as it goes', async () => {
  const whole = await voicedMs(message(noise(1_500), spoken(600), noise(3_000), spoken(800), noise(1_000)))
  expect(Math.abs(whole - 1_400)).toBeLessThanOrEqual(120)
  const cut = await voicedMs(message(noise(1_500), spoken(1_200).subarray(0, 6_400)))
  expect(Math.abs(cut - 800)).toBeLessThanOrEqual(60)
})

it('counts nothing of a line on which nobody speaks, or of what is no sound', async () => {
  expect(await voicedMs(message(noise(20_000)))).toBe(0)
  expect(await voicedMs(message())).toBe(0)
  const path = join(folder, 'begun.au')
  expect(await voicedMs(path)).toBe(0)
  writeFileSync(path, '.snd')
  expect(await voicedMs(path)).toBe(0)
})
