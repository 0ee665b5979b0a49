import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auHeader } from '../../src/recording/au.ts'
import { messagesLeft, secondsOfWav, storeVoicemail } from '../../src/recording/voicemail.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-voicemail-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a voicemail', () => {
  it('is kept once, whole, for its owner only, however often it is stored', async () => {
    const directory = join(folder, 'voicemail')
    const audio = Buffer.alloc(44 + 3 * 16_000, 7)
    for (let time = 0; time < 2; time++) await storeVoicemail(directory, 'voicemail-1-555-a.1', audio)
    expect(readdirSync(directory)).toEqual(['voicemail-1-555-a.1.wav'])
    expect(readFileSync(join(directory, 'voicemail-1-555-a.1.wav')).equals(audio)).toBe(true)
    expect(statSync(join(directory, 'voicemail-1-555-a.1.wav')).mode & 0o077).toBe(0)
    expect(secondsOfWav(audio)).toBe(3)
  })

  it('of an Asterisk that died while recording gets the lengths that it lacks', async () => {
    const audio = Buffer.alloc(44 + 16_000, 7)
    audio.write('RIFF')
    audio.writeUInt32LE(0, 4)
    audio.writeUInt32LE(0, 40)
    const kept = readFileSync(await storeVoicemail(folder, 'v', audio))
    expect(kept.readUInt32LE(4)).toBe(44 + 16_000 - 8)
    expect(kept.readUInt32LE(40)).toBe(16_000)
    expect(kept.subarray(44).equals(audio.subarray(44))).toBe(true)
  })

  it('never gets a name that leads elsewhere', async () => {
    for (const name of ['../escape', '.hidden', '', 'a/b']) {
      await expect(storeVoicemail(folder, name, new Uint8Array(1))).rejects.toThrow()
    }
    expect(readdirSync(folder)).toEqual([])
  })

  it('that was cut off is found by its own words; what is another file, or cannot be read, is none', async () => {
    const note = { id: 'a', call: 'c1', business: 'praxis', beganAtMs: 0 }
    const message = Buffer.concat([auHeader({ law: 'ulaw', channels: 1 }, note), Buffer.alloc(16_000)])
    writeFileSync(join(folder, 'message.au'), message)
    writeFileSync(join(folder, 'begun.au'), '')
    writeFileSync(join(folder, 'music of the house.au'), Buffer.alloc(60_000))
    mkdirSync(join(folder, 'folder.au'))
    const found = (await messagesLeft(folder)).sort((one, other) => other.ms - one.ms)
    expect(found).toEqual([
      { recording: 'message', note, ms: 2_000 },
      { recording: 'begun', note: undefined, ms: 0 },
    ])
  })

  it('says what to do when the disk refuses it', async () => {
    const taken = join(folder, 'voicemail')
    writeFileSync(taken, '')
    await expect(storeVoicemail(taken, 'v', new Uint8Array(1))).rejects.toThrow(/Free space/)
  })
})
