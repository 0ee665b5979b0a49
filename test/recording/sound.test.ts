import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DECODED, encode } from '../../src/media/g711.ts'
import { readWav, writeWav } from '../../src/media/wav.ts'
import { auHeader } from '../../src/recording/au.ts'
import { convertSound } from '../../src/recording/convert.ts'
import { plainSound } from '../../src/recording/sound.ts'
import { type SoundFolders, soundFolders } from '../../src/recording/sound-files.ts'

const note = { id: 'x'.repeat(22), call: '1764210000.12', business: 'praxis', beganAtMs: 1_764_210_000_123 }

let folder = ''
let folders: SoundFolders
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-sound-'))
  folders = soundFolders(folder)
  for (const each of [folders.recordings, folders.voicemail]) mkdirSync(each)
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('what a caller has left, for whoever writes it down', () => {
  it.each(['ulaw', 'alaw'] as const)('is read as it was written here: %s', async law => {
    const heard = Uint8Array.from({ length: 150_000 }, (_, index) => (index * 7) & 0xff)
    const bytes = Buffer.concat([auHeader({ law, channels: 1 }, note), heard])
    writeFileSync(join(folders.voicemail, 'left.au'), bytes)
    const { wav, seconds } = await plainSound(folders, 'left')
    const { rate, samples } = readWav(wav)
    expect([rate, seconds]).toEqual([8_000, 19])
    expect(samples).toEqual(Int16Array.from(heard, byte => DECODED[law][byte]!))
  })

  it('is read as others have written it, at any rate', async () => {
    writeFileSync(join(folders.voicemail, 'left.wav'), writeWav([new Int16Array(32_000).fill(500)], 16_000))
    const { wav, seconds } = await plainSound(folders, 'left')
    expect([readWav(wav).rate, seconds]).toEqual([8_000, 2])
  })

  it('is read, to the sample, when it has been made smaller since', async () => {
    const tone = Int16Array.from({ length: 20_345 }, (_, at) => 8_000 * Math.sin((2 * Math.PI * 440 * at) / 8_000))
    const heard = new Uint8Array(tone.length)
    encode('ulaw', tone, heard)
    const source = join(folder, 'left.au')
    writeFileSync(source, Buffer.concat([auHeader({ law: 'ulaw', channels: 1 }, note), heard]))
    await convertSound({ source, target: join(folders.voicemail, 'left.opus'), encoder: 'WebAssembly' })
    const { wav, seconds } = await plainSound(folders, 'left')
    const { rate, samples } = readWav(wav)
    expect([rate, seconds, samples.length]).toEqual([8_000, 3, tone.length])
    const likeness = (a: Int16Array, b: Int16Array) => a.reduce((sum, each, at) => sum + each * b[at]!, 0)
    const alike = likeness(samples, tone) / Math.sqrt(likeness(samples, samples) * likeness(tone, tone))
    expect(alike).toBeGreaterThan(0.98)
  })

  it('is refused for good when what was made of it is damaged, cut off, or of two sides', async () => {
    const made = async (channels: 1 | 2) => {
      const source = join(folder, 'left.au')
      writeFileSync(source, Buffer.concat([auHeader({ law: 'ulaw', channels }, note), new Uint8Array(16_000)]))
      await convertSound({ source, target: join(folders.voicemail, 'left.opus'), encoder: 'WebAssembly' })
      return readFileSync(join(folders.voicemail, 'left.opus'))
    }
    const refused = async (bytes: Uint8Array, why: string) => {
      writeFileSync(join(folders.voicemail, 'left.opus'), bytes)
      const failure = { retryable: false, message: expect.stringContaining(why) }
      await expect(plainSound(folders, 'left')).rejects.toMatchObject(failure)
    }
    const whole = await made(1)
    await refused(whole.with(whole.length - 9, whole.at(-9)! ^ 1), 'is damaged')
    await refused(whole.subarray(0, -5), 'ends in the middle')
    await refused(whole.subarray(1), 'is no Ogg')
    await refused(new Uint8Array(), 'is empty')
    await refused(await made(2), 'is of two sides')
  })

  it('is refused for good when it is not there, or is a call', async () => {
    await expect(plainSound(folders, 'left')).rejects.toMatchObject({ message: expect.stringContaining('not there') })
    writeFileSync(join(folders.recordings, 'call.au'), auHeader({ law: 'ulaw', channels: 2 }, note))
    await expect(plainSound(folders, 'call')).rejects.toMatchObject({ message: expect.stringContaining('two sides') })
    await expect(plainSound(folders, '../../etc/passwd')).rejects.toThrow()
  })
})
