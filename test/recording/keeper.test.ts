import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { FRAME_SAMPLES, SILENCE } from '../../src/media/audio.ts'
import type { PairBatch } from '../../src/plane/takes.ts'
import { AU_HEADER_BYTES, readAuHeader } from '../../src/recording/au.ts'
import { filesOnDisk, type RecordingFiles } from '../../src/recording/files.ts'
import { type FromKeeper, Keeper } from '../../src/recording/keeper.ts'
import type { RecordingOrder } from '../../src/recording/writer.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-recording-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const ID = 'abcdefghijklmnopqrstuv'
const PAIR = 2 * FRAME_SAMPLES

function house(change: Partial<RecordingFiles> = {}, clock = new VirtualClock()) {
  const told: FromKeeper[] = []
  let tookBytes = 0
  let syncs = 0
  const files: RecordingFiles = {
    ...filesOnDisk,
    freeBytes: () => 2e9,
    sync: file => {
      syncs += 1
      filesOnDisk.sync(file)
    },
    ...change,
  }
  const keeper = new Keeper({
    clock,
    files,
    tell: message => told.push(message),
    took: bytes => {
      tookBytes += bytes
    },
  })
  const order = (more: Partial<RecordingOrder> = {}): RecordingOrder => ({
    path: join(folder, 'recordings', `${ID}.au`),
    note: { id: ID, call: '1.2', business: 'praxis', beganAtMs: clock.wallMs() },
    sides: 'both',
    mostMs: 60_000,
    ...more,
  })
  const begin = (take: number, more: Partial<RecordingOrder> = {}, place = 0) =>
    keeper.receive({ kind: 'begin', take, law: 'ulaw', place, order: order(more) })
  return { clock, keeper, told, order, begin, took: () => tookBytes, syncs: () => syncs }
}

/** Of each pair: the received frame is filled with its place, the sent one with 200 more. */
function pairs(take: number, places: readonly number[]): { kind: 'pairs'; batch: PairBatch } {
  const audio = new Uint8Array(places.length * PAIR)
  const heads = new Float64Array(places.length * 2)
  for (const [index, place] of places.entries()) {
    heads.set([take, place], 2 * index)
    audio.fill(place, index * PAIR, index * PAIR + FRAME_SAMPLES)
    audio.fill(200 + place, index * PAIR + FRAME_SAMPLES, (index + 1) * PAIR)
  }
  return { kind: 'pairs', batch: { heads, audio } }
}

const fileOf = (id = ID) => readFileSync(join(folder, 'recordings', `${id}.au`)).subarray(AU_HEADER_BYTES)
/** What stands at a place, on both sides. */
const at = (sound: Uint8Array, place: number) => [...sound.subarray(place * PAIR, place * PAIR + 2)]

describe('the recording thread', () => {
  it('puts both sides beside each other, on the disk as they come, for their owner only', () => {
    const { keeper, begin, told, took } = house()
    begin(1)
    keeper.receive(pairs(1, [0, 1, 2, 3]))
    expect(at(fileOf(), 3)).toEqual([3, 203])
    const path = join(folder, 'recordings', `${ID}.au`)
    expect(readAuHeader(readFileSync(path))).toMatchObject({ law: 'ulaw', channels: 2, note: { id: ID, call: '1.2' } })
    expect(statSync(path).mode & 0o077).toBe(0)
    expect(statSync(join(folder, 'recordings')).mode & 0o077).toBe(0)
    keeper.receive({ kind: 'end', take: 1, places: 50, shed: 0 })
    expect(told).toEqual([{ kind: 'ended', take: 1, seconds: 1, shedFrames: 0 }])
    expect(at(fileOf(), 49)).toEqual([SILENCE.ulaw, SILENCE.ulaw])
    expect(took()).toBe(4 * PAIR)
  })

  it('has the caller alone where that is wanted', () => {
    const { keeper, begin } = house()
    begin(1, { sides: 'caller' })
    keeper.receive(pairs(1, [0, 1]))
    expect(fileOf()).toHaveLength(2 * FRAME_SAMPLES)
    expect(fileOf()[FRAME_SAMPLES]).toBe(1)
  })

  it('has silence where pairs were left out, and nothing twice', () => {
    const { keeper, begin, told } = house()
    begin(1)
    keeper.receive(pairs(1, [0, 5, 5, 4, 6]))
    keeper.receive({ kind: 'end', take: 1, places: 7, shed: 4 })
    const sound = fileOf()
    expect(sound).toHaveLength(7 * PAIR)
    expect([0, 1, 4, 5, 6].map(place => at(sound, place)[0])).toEqual([0, 255, 255, 5, 6])
    expect(told.at(-1)).toMatchObject({ seconds: 0.14, shedFrames: 4 })
  })

  it('goes on in the file of an earlier life: to the whole sample, with silence up to now', () => {
    const { clock, keeper, begin, order } = house()
    const first = order()
    begin(1)
    keeper.receive(pairs(1, [0, 1, 2]))
    // It was killed: no end, and half a sample.
    truncateSync(first.path, AU_HEADER_BYTES + 2 * PAIR + 101)
    clock.advance(200)
    const later = house({}, clock)
    later.begin(7, { note: { ...first.note, beganAtMs: clock.wallMs() } })
    later.keeper.receive(pairs(7, [0, 1]))
    const sound = fileOf()
    // 100 bytes of the third pair stand, then silence to the next whole frame of time.
    expect(sound.length).toBeGreaterThanOrEqual(11 * PAIR)
    expect(sound.length).toBeLessThanOrEqual(13 * PAIR)
    expect(at(sound, 1)).toEqual([1, 201])
    expect([...sound.subarray(-2)]).toEqual([1, 201])
    expect(sound[2 * PAIR + 100]).toBe(SILENCE.ulaw)
    expect(readAuHeader(readFileSync(first.path))?.note?.beganAtMs).toBe(first.note.beganAtMs)
  })

  it('does not fill a disk because a clock was set', () => {
    const { keeper, begin, order, clock } = house()
    begin(1)
    keeper.receive(pairs(1, [0]))
    keeper.receive({ kind: 'end', take: 1, places: 1, shed: 0 })
    const later = house({}, new VirtualClock(clock.wallMs() + 5 * 365 * 86_400_000))
    later.begin(2, { note: order().note, mostMs: 3_600_000 })
    expect(fileOf().length).toBe(PAIR + (limits.recording.bridgedMs / 20) * PAIR)
  })

  it('begins anew in a file that is none, or of another form', () => {
    const { keeper, begin, order } = house()
    begin(1)
    keeper.receive({ kind: 'end', take: 1, places: 3, shed: 0 })
    writeFileSync(order().path, 'what a power cut has left')
    begin(2)
    keeper.receive(pairs(2, [0]))
    expect(fileOf()).toHaveLength(PAIR)
  })

  it('ends at its longest, and takes no more', () => {
    const { keeper, begin, told } = house()
    begin(1, { mostMs: 100 })
    keeper.receive(pairs(1, [0, 1, 2, 3, 4, 5, 6, 7]))
    expect(told).toEqual([{ kind: 'stopped', take: 1, why: 'tooLong' }])
    keeper.receive(pairs(1, [8]))
    keeper.receive({ kind: 'end', take: 1, places: 9, shed: 0 })
    expect(told.at(-1)).toEqual({ kind: 'ended', take: 1, seconds: 0.1, shedFrames: 0 })
    expect(fileOf()).toHaveLength(5 * PAIR)
  })

  it('brings each file to the disk itself when it is time, and not with each batch', () => {
    const { clock, keeper, begin, syncs } = house()
    begin(1)
    const before = syncs()
    for (let place = 0; place < 500; place += 10) {
      clock.advance(limits.recording.batchMs)
      keeper.receive(
        pairs(
          1,
          Array.from({ length: 10 }, (_, more) => place + more),
        ),
      )
    }
    expect(syncs() - before).toBe(2)
  })

  it('ends what a full disk does not take, tells it once, and does not touch the others', () => {
    let full = false
    const { keeper, begin, told } = house({
      write(file, bytes, place) {
        if (full) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
        filesOnDisk.write(file, bytes, place)
      },
    })
    begin(1)
    keeper.receive(pairs(1, [0, 1]))
    full = true
    keeper.receive(pairs(1, [2, 3]))
    full = false
    expect(told).toEqual([
      { kind: 'disk', state: 'full', freeBytes: 0 },
      { kind: 'stopped', take: 1, why: 'diskFull' },
    ])
    keeper.receive({ kind: 'end', take: 1, places: 4, shed: 0 })
    expect(at(fileOf(), 1)).toEqual([1, 201])
    // With the next call it looks again.
    begin(2, { path: join(folder, 'recordings', 'other.au'), note: { ...house().order().note, id: 'other' } })
    keeper.receive(pairs(2, [0]))
    expect(fileOf('other')).toHaveLength(PAIR)
    expect(told.at(-1)).toMatchObject({ kind: 'disk', state: 'ample' })
  })

  it('records nothing below the least that is to stay free, and looks while it records', () => {
    let freeBytes = limits.recording.diskBytes.low - 1
    const { clock, keeper, begin, told } = house({ freeBytes: () => freeBytes })
    begin(1)
    expect(told).toEqual([{ kind: 'disk', state: 'low', freeBytes }])
    freeBytes = limits.recording.diskBytes.least - 1
    keeper.receive(pairs(1, [0]))
    expect(told).toHaveLength(1)
    clock.advance(limits.recording.diskLookMs)
    keeper.receive(pairs(1, [1]))
    expect(told.slice(1)).toEqual([
      { kind: 'disk', state: 'full', freeBytes },
      { kind: 'stopped', take: 1, why: 'diskFull' },
    ])
    begin(2)
    expect(told.at(-1)).toEqual({ kind: 'stopped', take: 2, why: 'diskFull' })
  })

  it('tells what room there is also while nothing is recorded: that it is short, and that there is some again', () => {
    let freeBytes = limits.recording.diskBytes.low - 1
    const { keeper, told } = house({
      freeBytes: () => {
        if (freeBytes < 0) throw Object.assign(new Error('it does not answer'), { code: 'EIO' })
        return freeBytes
      },
    })
    keeper.look(folder)
    keeper.look(folder)
    expect(told).toEqual([{ kind: 'disk', state: 'low', freeBytes }])
    freeBytes = -1
    keeper.look(folder)
    freeBytes = limits.recording.diskBytes.low
    keeper.look(folder)
    expect(told.slice(1)).toEqual([{ kind: 'disk', state: 'ample', freeBytes }])
  })

  it('is told when nobody else will end a take', () => {
    const { keeper, begin, told } = house()
    begin(1)
    keeper.receive(pairs(1, [0, 1]))
    keeper.abandon(1)
    expect(told).toEqual([{ kind: 'ended', take: 1, seconds: 0.04, shedFrames: 0 }])
    keeper.receive(pairs(1, [2]))
    keeper.receive({ kind: 'end', take: 1, places: 3, shed: 0 })
    expect(told).toHaveLength(1)
  })
})
