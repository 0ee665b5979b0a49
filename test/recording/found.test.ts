import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auHeader, silentBytes } from '../../src/recording/au.ts'
import { findRecordings, type KnownRecording } from '../../src/recording/found.ts'

const form = { law: 'ulaw', channels: 2 } as const
const idOf = (letter: string) => letter.repeat(22)
const nowMs = Date.UTC(2026, 0, 5)

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-found-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function file(name: string, bytes: Uint8Array, atMs = nowMs - 1_000): void {
  writeFileSync(join(folder, name), bytes)
  utimesSync(join(folder, name), atMs / 1_000, atMs / 1_000)
}

function begun(letter: string, call: string, seconds: number): void {
  const note = { id: idOf(letter), call, business: 'praxis', beganAtMs: nowMs - 60_000 }
  file(`${idOf(letter)}.au`, Buffer.concat([auHeader(form, note), silentBytes(form, seconds * 1_000)]))
}

function find(known: readonly KnownRecording[] = [], ours: readonly string[] = []) {
  return findRecordings({
    ...{ folder, nowMs },
    known: async ids => known.filter(({ id }) => ids.includes(id)),
    mayGoOn: call => ours.includes(call),
  })
}

const row = { call: '1.1', business: 'praxis', ended: false, converted: false }

describe('what an earlier life has left on the disk', () => {
  it('is nothing where nothing was ever recorded', async () => {
    rmSync(folder, { recursive: true })
    expect(await find()).toEqual({ events: [], strange: [] })
    writeFileSync(folder, '')
  })

  it('has ended where nobody told its end, whether a database knows it or not', async () => {
    begun('a', '1.1', 2.5)
    begun('b', '2.2', 0)
    const { events } = await find([{ ...row, id: idOf('b'), call: 'CA2' }])
    expect(events).toEqual([
      {
        ...{ call: '1.1', business: 'praxis', atMs: nowMs - 1_000 },
        fact: { name: 'recordingEnded', recording: idOf('a'), seconds: 3, why: 'cut', shedFrames: 0 },
      },
      {
        ...{ call: 'CA2', business: 'praxis', atMs: nowMs - 1_000 },
        fact: { name: 'recordingEnded', recording: idOf('b'), seconds: 0, why: 'cut', shedFrames: 0 },
      },
    ])
  })

  it('is left to the call that goes on in it, and to the job that converts it', async () => {
    begun('a', '1.1', 1)
    begun('b', '2.2', 1)
    // The tables have a call by its record.
    begun('c', '3.3', 1)
    const known = [
      { ...row, id: idOf('b'), ended: true },
      { ...row, id: idOf('c'), call: 'CA3' },
    ]
    const { events } = await find(known, ['1.1', '3.3'])
    expect(events).toEqual([])
  })

  it('is converted where that was done and not told, and begun anew where it was not done', async () => {
    file(`${idOf('a')}.opus`, new Uint8Array(70))
    file(`${idOf('b')}.opus`, new Uint8Array(70))
    file(`${idOf('b')}.opus.part`, new Uint8Array(7))
    const ended = { ...row, ended: true }
    const { events } = await find([
      { ...ended, id: idOf('a') },
      { ...ended, id: idOf('b'), converted: true },
    ])
    expect(events.map(({ fact }) => fact)).toEqual([{ name: 'recordingConverted', recording: idOf('a'), bytes: 70 }])
    expect(existsSync(join(folder, `${idOf('b')}.opus.part`))).toBe(false)
  })

  it('leaves alone what is being converted by now, and tells the rest when a file goes meanwhile', async () => {
    begun('a', '1.1', 1)
    begun('b', '2.2', 1)
    file(`${idOf('a')}.opus.part`, new Uint8Array(7))
    const { events } = await findRecordings({
      ...{ folder, nowMs, mayGoOn: () => false },
      known: async () => {
        rmSync(join(folder, `${idOf('a')}.au`))
        return [{ ...row, id: idOf('a'), ended: true }]
      },
    })
    expect(existsSync(join(folder, `${idOf('a')}.opus.part`))).toBe(true)
    expect(events.map(({ call }) => call)).toEqual(['2.2'])
  })

  it('is told to an operator when it is nobody knows whose, after a day, and never taken away', async () => {
    file(`${idOf('a')}.opus`, new Uint8Array(7), nowMs - 2 * 86_400_000)
    file(`${idOf('b')}.opus`, new Uint8Array(7))
    file(`${idOf('c')}.au`, Buffer.from('no sound'), nowMs - 2 * 86_400_000)
    file('a name of somebody', new Uint8Array(1), 0)
    expect(await find()).toEqual({ events: [], strange: [idOf('a'), idOf('c')] })
    expect(existsSync(join(folder, `${idOf('a')}.opus`))).toBe(true)
  })
})
