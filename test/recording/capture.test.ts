import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { FRAME_SAMPLES } from '../../src/media/audio.ts'
import { parseRtp, RtpPacket, RtpWriter } from '../../src/media/rtp.ts'
import { PlaneCore } from '../../src/plane/core.ts'
import type { FromPlane } from '../../src/plane/protocol.ts'
import type { ToRecorder } from '../../src/plane/takes.ts'
import { AU_HEADER_BYTES, readAuHeader } from '../../src/recording/au.ts'
import { type CaptureFile, type CaptureOrder, captureFiles } from '../../src/recording/capture.ts'
import { listCaptures, openCaptured, removeCapture, sweepCaptures } from '../../src/recording/captured.ts'
import { filesOnDisk, type RecordingFiles } from '../../src/recording/files.ts'
import { type FromKeeper, Keeper } from '../../src/recording/keeper.ts'
import { seeded } from '../support/random.ts'
import { readRtpdump } from '../support/rtpdump.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { VirtualNetwork } from '../support/virtual-network.ts'

const ID = 'abcdefghijklmnopqrstuv'
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-capture-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A line with a caller, and whoever captures, all of it in virtual time. */
async function house(change: Partial<RecordingFiles> = {}) {
  const clock = new VirtualClock()
  const network = new VirtualNetwork(clock, seeded(1))
  const posted: FromPlane[] = []
  const core = new PlaneCore({
    ...{ clock, random: seeded(2), forbiddenPorts: { start: 2, end: 3 }, openSocket: network.openSocket },
    ...{ afterTurn: run => void clock.after(0, run), post: message => void posted.push(message), taken: () => 0 },
  })
  core.receive({ kind: 'open', line: 1, law: 'ulaw' })
  await clock.settle()
  const sent: Uint8Array[] = []
  const far = network.bind({ received: datagram => void sent.push(datagram.slice()), failed: () => {} })
  core.receive({ kind: 'connect', line: 1, peer: far.local })
  const { local } = posted.find(message => message.kind === 'opened')!
  const told: FromKeeper[] = []
  const messages: ToRecorder[] = []
  const taken = new Int32Array(1)
  const files = { ...filesOnDisk, freeBytes: () => 2e9, ...change }
  const took = (bytes: number) => {
    taken[0]! += bytes
  }
  const keeper = () => new Keeper({ clock, files, tell: message => told.push(message), took })
  const recordTo = (to: Keeper) => {
    const postMessage = (message: ToRecorder) => {
      messages.push(message)
      to.receive(message)
    }
    core.receive({ kind: 'recordTo', way: { port: { postMessage }, taken } })
  }
  recordTo(keeper())
  const writer = new RtpWriter(0, seeded(3))
  /** One each 20 ms: its sound is its number; what is left out never arrives. */
  const calls = (count: number, leftOut: readonly number[] = []) => {
    const came: Uint8Array[] = []
    for (let number = 0; number < count; number++) {
      const packet = new Uint8Array(172)
      writer.write(packet, new Uint8Array(FRAME_SAMPLES).fill(number), false)
      if (!leftOut.includes(number)) {
        came.push(packet)
        far.send(packet, local)
      }
      clock.advance(20)
    }
    return came
  }
  const order = (more: Partial<CaptureOrder> = {}): CaptureOrder => ({
    folder: join(folder, ID),
    note: { id: ID, call: '1.2', business: 'praxis', beganAtMs: clock.wallMs() },
    ...{ source: local, mostMs: 600_000, mostBytes: limits.recording.capture.bytes },
    ...more,
  })
  const capture = (take: number, more: Partial<CaptureOrder> = {}) =>
    core.receive({ kind: 'capture', line: 1, take, order: order(more) })
  const end = (take: number) => core.receive({ kind: 'recordNoMore', line: 1, take })
  return { clock, core, far, local, sent, told, messages, calls, capture, end, recordTo, keeper }
}

const fileOf = (name: CaptureFile) => readFileSync(join(folder, ID, captureFiles[name]))
const soundOf = () => fileOf('decoded').subarray(AU_HEADER_BYTES)
const framesOf = () =>
  fileOf('frames')
    .toString()
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(line => line.split(','))

describe('a capture', () => {
  it('has packets as they came, what was heard of them with each frame’s kind, and packets as they left', async () => {
    const { calls, capture, clock, core, end, local, sent, told } = await house()
    calls(5)
    sent.length = 0
    capture(1)
    const beganAtMs = clock.wallMs()
    core.receive({
      ...{ kind: 'speak', line: 1 },
      chunk: { utterance: 1, audio: new Uint8Array(1_600).fill(77), text: '', last: true },
    })
    const came = calls(50, [20, 31])
    end(1)
    const left = [...sent]
    calls(20)
    expect(told).toEqual([{ kind: 'ended', take: 1, seconds: expect.closeTo(1, 1), shedFrames: 0 }])

    const received = readRtpdump(fileOf('received'))
    expect(received.source).toBe(`${local.address}/${local.port}`)
    expect(received.startMs).toBe(Math.floor(beganAtMs))
    expect(received.packets.map(({ bytes }) => [...bytes])).toEqual(came.map(packet => [...packet]))
    const times = received.packets.map(({ atMs }) => atMs)
    expect(times).toEqual(Array.from({ length: 50 }, (_, at) => 20 * at).filter(at => at !== 400 && at !== 620))

    expect(readRtpdump(fileOf('sent')).packets.map(({ bytes }) => [...bytes])).toEqual(left.map(each => [...each]))
    const spoken = readRtpdump(fileOf('sent')).packets.map(({ bytes }) => parseRtp(bytes, new RtpPacket()))
    expect(spoken.filter(packet => packet!.bytes[packet!.start] === 77)).toHaveLength(10)

    expect(readAuHeader(fileOf('decoded'))).toMatchObject({ law: 'ulaw', channels: 1, note: { id: ID, call: '1.2' } })
    const frames = framesOf()
    expect(soundOf()).toHaveLength(frames.length * FRAME_SAMPLES)
    const concealed = frames.flatMap(([, , kind], at) => (kind === 'concealed' ? [at] : []))
    expect(concealed).toEqual([20, 31])
    const heard = frames.flatMap(([, , kind], at) => (kind === 'heard' ? [at] : []))
    expect(heard.map(at => soundOf()[(at + 1) * FRAME_SAMPLES - 1])).toEqual(heard)
    const mediaTimes = frames.map(([, mediaTimeMs]) => Number(mediaTimeMs))
    expect(mediaTimes).toEqual(frames.map((_, at) => 100 + 20 * at))
  })

  it('is for its owner alone, listed, read and removed, and nothing else can be reached by its name', async () => {
    const { calls, capture, end } = await house()
    capture(1)
    calls(10)
    end(1)
    expect(statSync(join(folder, ID)).mode & 0o077).toBe(0)
    for (const name of Object.keys(captureFiles) as CaptureFile[])
      expect(statSync(join(folder, ID, captureFiles[name])).mode & 0o077).toBe(0)
    const [only, ...others] = await listCaptures(folder)
    expect(others).toEqual([])
    expect(only).toMatchObject({
      id: ID,
      call: '1.2',
      business: 'praxis',
      files: { received: fileOf('received').length },
    })
    const opened = await openCaptured(folder, ID, 'sent')
    expect(await opened?.readFile()).toEqual(fileOf('sent'))
    await opened?.close()
    for (const name of ['..', `../${ID}`, 'x'.repeat(22)]) {
      expect(await openCaptured(folder, name, 'sent')).toBeUndefined()
      expect(await removeCapture(folder, name)).toBe(false)
    }
    expect(await removeCapture(folder, ID)).toBe(true)
    expect(await listCaptures(folder)).toEqual([])
  })

  it('is gone after its day, also when nobody ended it', async () => {
    const { calls, capture, clock } = await house()
    capture(1)
    calls(10)
    const nowMs = clock.wallMs()
    utimesSync(join(folder, ID), nowMs / 1_000, nowMs / 1_000)
    await sweepCaptures(folder, nowMs + limits.recording.capture.keptMs - 1_000)
    expect(await listCaptures(folder)).toHaveLength(1)
    await sweepCaptures(folder, nowMs + limits.recording.capture.keptMs + 1_000)
    expect(await listCaptures(folder)).toEqual([])
    await sweepCaptures(join(folder, 'none'), nowMs)
  })

  it.each([
    ['time', { mostMs: 1_000 }],
    ['bytes', { mostBytes: 20_000 }],
  ])('ends by itself at its %s, takes nothing more, and the call goes on', async (_, bound) => {
    const { calls, capture, end, sent, told } = await house()
    capture(1, bound)
    calls(100)
    expect(told).toEqual([{ kind: 'stopped', take: 1, why: 'tooLong' }])
    const before = fileOf('sent').length
    // What comes before the main thread has ended it is dropped.
    calls(100)
    expect(fileOf('sent')).toHaveLength(before)
    const all = (Object.keys(captureFiles) as CaptureFile[]).reduce((sum, name) => sum + fileOf(name).length, 0)
    expect(all).toBeLessThan(31_000)
    end(1)
    expect(told.at(-1)).toMatchObject({ kind: 'ended', take: 1 })
    expect(sent.length).toBeGreaterThan(190)
  })

  it('ends with the line, and goes on in its files with whoever records after one who died', async () => {
    const { calls, capture, core, recordTo, keeper, told } = await house()
    capture(1)
    calls(40)
    recordTo(keeper())
    calls(40)
    core.receive({ kind: 'close', line: 1 })
    expect(told).toEqual([{ kind: 'ended', take: 1, seconds: expect.closeTo(1.6, 1), shedFrames: 0 }])
    const { packets } = readRtpdump(fileOf('received'))
    // What was on its way to the one before is lost, no more.
    expect(packets.length).toBeGreaterThanOrEqual(68)
    const parsed = new RtpPacket()
    expect(packets.every(({ bytes }) => parseRtp(bytes, parsed))).toBe(true)
    expect(packets.at(-1)!.atMs).toBe(1_580)
  })

  it('that the disk does not take ends alone, and says why', async () => {
    let full = false
    const { calls, capture, sent, told } = await house({
      write(file, bytes, place) {
        if (full) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
        filesOnDisk.write(file, bytes, place)
      },
    })
    capture(1)
    calls(20)
    full = true
    calls(20)
    expect(told).toEqual([
      { kind: 'disk', state: 'full', freeBytes: 0 },
      { kind: 'stopped', take: 1, why: 'diskFull' },
    ])
    expect(sent.length).toBeGreaterThan(35)
  })

  it('costs nothing where there is none, and few messages where there is', async () => {
    const { calls, capture, messages } = await house()
    calls(100)
    expect(messages).toEqual([])
    capture(1)
    calls(500)
    expect(messages.length).toBeLessThanOrEqual(2 + 10_000 / limits.recording.batchMs)
  })
})
