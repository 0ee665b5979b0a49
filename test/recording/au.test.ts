import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SILENCE } from '../../src/media/audio.ts'
import {
  AU_HEADER_BYTES,
  auHeader,
  auMs,
  readAu,
  readAuHeader,
  silentBytes,
  wholeBytes,
} from '../../src/recording/au.ts'
import '../support/properties.ts'

const note = { id: 'x'.repeat(22), call: '1764210000.12', business: 'praxis', beganAtMs: 1_764_210_000_123 }

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-au-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a sound on the disk', () => {
  it('tells its form, and whose it is, without any database', () => {
    for (const law of ['ulaw', 'alaw'] as const) {
      for (const channels of [1, 2] as const) {
        const header = auHeader({ law, channels }, { ...note, by: 'closed' })
        expect(readAuHeader(header)).toEqual({
          ...{ law, channels, dataAt: AU_HEADER_BYTES },
          note: { ...note, by: 'closed' },
        })
      }
    }
  })

  it('has in its header what the format asks for', () => {
    const header = Buffer.from(auHeader({ law: 'alaw', channels: 2 }, note))
    expect(header.subarray(0, 4).toString()).toBe('.snd')
    const fields = [4, 8, 12, 16, 20].map(at => header.readUInt32BE(at))
    expect(fields).toEqual([AU_HEADER_BYTES, 0xffff_ffff, 27, 8_000, 2])
    expect(header.at(-1)).toBe(0)
  })

  it('is read wherever it was cut off, to the whole sample of both sides', async () => {
    const path = join(folder, 'a.au')
    const whole = Buffer.concat([auHeader({ law: 'ulaw', channels: 2 }, note), Buffer.alloc(64, 7)])
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length))
      const file = await readAu(path)
      expect(file === undefined).toBe(length < AU_HEADER_BYTES)
      if (!file) continue
      expect(file).toMatchObject({ note, bytes: length })
      expect((wholeBytes(file, length) - AU_HEADER_BYTES) % 2).toBe(0)
      expect(length - wholeBytes(file, length)).toBeLessThan(2)
      expect(auMs(file, length)).toBe(Math.floor((length - AU_HEADER_BYTES) / 2) / 8)
    }
  })

  it('of anybody else is read without a note, or not at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), bytes => {
        readAuHeader(bytes)
        const header = auHeader({ law: 'ulaw', channels: 1 }, note)
        header.set(bytes.subarray(0, AU_HEADER_BYTES - 24), 24)
        expect(readAuHeader(header)?.law).toBe('ulaw')
      }),
    )
  })

  it('notes no more than its header has room for', () => {
    expect(() => auHeader({ law: 'ulaw', channels: 1 }, { ...note, call: 'x'.repeat(500) })).toThrow(RangeError)
  })

  it('is silent in its own law', () => {
    expect([...silentBytes({ law: 'alaw', channels: 2 }, 1)]).toEqual(Array(16).fill(SILENCE.alaw))
  })
})
