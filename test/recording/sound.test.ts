import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DECODED } from '../../src/media/g711.ts'
import { readWav, writeWav } from '../../src/media/wav.ts'
import { auHeader } from '../../src/recording/au.ts'
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

  it('is refused for good when it is not there, or is a call', async () => {
    await expect(plainSound(folders, 'left')).rejects.toMatchObject({ message: expect.stringContaining('not there') })
    writeFileSync(join(folders.recordings, 'call.au'), auHeader({ law: 'ulaw', channels: 2 }, note))
    await expect(plainSound(folders, 'call')).rejects.toMatchObject({ message: expect.stringContaining('two sides') })
    await expect(plainSound(folders, '../../etc/passwd')).rejects.toThrow()
  })
})
