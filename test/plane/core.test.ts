import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { FRAME_SAMPLES } from '../../src/media/audio.ts'
import { parseRtp, RtpPacket, RtpWriter } from '../../src/media/rtp.ts'
import { PlaneCore } from '../../src/plane/core.ts'
import type { LineFigures } from '../../src/plane/line.ts'
import type { FromPlane } from '../../src/plane/protocol.ts'
import type { OpenSocket, SocketListener } from '../../src/plane/sockets.ts'
import { seeded } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { VirtualNetwork } from '../support/virtual-network.ts'

const peer = { address: '127.0.0.1', port: 1 }

function house(wrap: (openSocket: OpenSocket) => OpenSocket = same => same) {
  const clock = new VirtualClock()
  const network = new VirtualNetwork(clock, seeded(1))
  const posted: FromPlane[] = []
  // Counts over the end of its 32 bits in the tests that take as many frames.
  let taken = 2 ** 31 - 50
  const core = new PlaneCore({
    clock,
    random: seeded(2),
    forbiddenPorts: { start: 2, end: 3 },
    openSocket: wrap(network.openSocket),
    afterTurn: run => void clock.after(0, run),
    post: message => posted.push(message),
    taken: () => taken,
  })
  const open = async (...lines: number[]) => {
    for (const line of lines) core.receive({ kind: 'open', line, law: 'ulaw' })
    await clock.settle()
  }
  const take = <K extends FromPlane['kind']>(kind: K) => {
    const taken = posted.filter((message): message is Extract<FromPlane, { kind: K }> => message.kind === kind)
    posted.splice(0, posted.length, ...posted.filter(message => message.kind !== kind))
    return taken
  }
  const figures = (line: number): LineFigures => {
    core.receive({ kind: 'stats', line, ticket: 1 })
    return take('stats')[0]!.figures
  }
  const took = (frames: number) => {
    taken = (taken + frames) | 0
  }
  const framesGiven = () => take('frames').reduce((sum, message) => sum + message.batch.heads.length / 3, 0)
  return { clock, network, core, posted, open, take, figures, framesGiven, took }
}

function packetOf(byte: number): Uint8Array {
  const packet = new Uint8Array(172)
  new RtpWriter(0, seeded(byte)).write(packet, new Uint8Array(FRAME_SAMPLES).fill(byte), false)
  return packet
}

describe('the core', () => {
  it('sends the frames of all lines in one turn as one message', async () => {
    const { clock, network, core, open, take } = house()
    const far = network.bind({ received: () => {}, failed: () => {} })
    await open(1, 2, 3)
    for (const { line, local } of take('opened')) {
      core.receive({ kind: 'connect', line, peer: far.local })
      core.receive({ kind: 'listen', line, to: 'received', on: true })
      far.send(packetOf(line), local)
    }
    clock.advance(0)
    const batches = take('frames')
    expect(batches).toHaveLength(1)
    expect([...batches[0]!.batch.heads.filter((_, index) => index % 3 === 0)]).toEqual([1, 2, 3])
    expect(batches[0]!.batch.audio).toHaveLength(3 * FRAME_SAMPLES)
  })

  it('keeps two seconds for each listener of a main thread that takes nothing, and counts what it sheds', async () => {
    const { clock, core, open, figures, framesGiven, took } = house()
    await open(1, 2)
    core.receive({ kind: 'listen', line: 1, to: 'sent', on: true })
    core.receive({ kind: 'listen', line: 1, to: 'sent', on: true })
    core.receive({ kind: 'connect', line: 1, peer })
    core.receive({ kind: 'connect', line: 2, peer })
    clock.advance(10_000)
    expect(framesGiven()).toBe(limits.media.pendingFrames)
    expect(figures(1).shedFrames).toBe(figures(1).sent.packets - limits.media.pendingFrames)
    expect(figures(2).shedFrames).toBe(0)
    took(limits.media.pendingFrames)
    clock.advance(1_000)
    expect(framesGiven()).toBe(50)

    core.receive({ kind: 'listen', line: 2, to: 'sent', on: true })
    clock.advance(10_000)
    expect(framesGiven()).toBe(2 * limits.media.pendingFrames - 50)
    core.receive({ kind: 'close', line: 2 })
    took(2 * limits.media.pendingFrames)
    clock.advance(10_000)
    expect(framesGiven()).toBe(limits.media.pendingFrames)
  })

  it('lets nobody wait for a line that is gone', async () => {
    const { core, posted } = house()
    core.receive({ kind: 'cancel', line: 9, ticket: 4 })
    core.receive({ kind: 'close', line: 9 })
    core.receive({ kind: 'pause', line: 9 })
    expect(posted).toEqual([
      { kind: 'heard', line: 9, ticket: 4, heard: [] },
      { kind: 'closed', line: 9 },
    ])
  })

  it('closes what was closed while its socket was being opened', async () => {
    const { clock, network, core, posted } = house()
    core.receive({ kind: 'open', line: 1, law: 'ulaw' })
    core.receive({ kind: 'close', line: 1 })
    await clock.settle()
    expect(posted).toEqual([{ kind: 'closed', line: 1 }])
    expect(network.openSockets).toBe(0)
  })

  it('refuses a line that gets no socket, and forgets it', async () => {
    const { core, open, posted } = house(() => async () => {
      throw new Error('no descriptors left')
    })
    await open(1)
    expect(posted).toEqual([{ kind: 'refused', line: 1, message: 'no descriptors left' }])
    expect(core.lineCount).toBe(0)
  })

  it('drops packets from the port of the peer at another address', async () => {
    const listeners: SocketListener[] = []
    const { core, open, figures } = house(openSocket => listener => {
      listeners.push(listener)
      return openSocket(listener)
    })
    await open(1)
    listeners[0]!.received(packetOf(1), '127.0.0.1', 1)
    core.receive({ kind: 'connect', line: 1, peer })
    listeners[0]!.received(packetOf(1), '127.0.0.2', 1)
    expect(figures(1).received).toMatchObject({ packets: 0, strangers: 2 })
    listeners[0]!.received(packetOf(1), '127.0.0.1', 1)
    expect(figures(1).received).toMatchObject({ packets: 1, strangers: 2 })
  })

  it('does not connect a line whose socket has failed', async () => {
    const listeners: SocketListener[] = []
    const { clock, core, open, take } = house(openSocket => listener => {
      listeners.push(listener)
      return openSocket(listener)
    })
    await open(1)
    listeners[0]!.failed('no network')
    core.receive({ kind: 'connect', line: 1, peer })
    expect(clock.pending).toBe(0)
    expect(take('happened')).toEqual([{ kind: 'happened', line: 1, event: { kind: 'failed', message: 'no network' } }])
  })

  it('fails a line whose message it cannot carry out, and no other', async () => {
    const { clock, core, open, take, figures } = house()
    await open(1, 2)
    for (const line of [1, 2]) core.receive({ kind: 'connect', line, peer })
    const chunk = { utterance: 1, audio: new Uint8Array(1), text: undefined as unknown as string, last: true }
    core.receive({ kind: 'speak', line: 1, chunk })
    clock.advance(1_000)
    expect(take('happened')).toMatchObject([{ line: 1, event: { kind: 'failed' } }])
    expect(figures(1).sent.packets).toBe(0)
    expect(figures(2).sent.packets).toBeGreaterThan(45)
  })

  it('does not write into a datagram that the system has not taken yet', async () => {
    const waiting: Uint8Array[] = []
    const { clock, core, open } = house(openSocket => async listener => ({
      ...(await openSocket(listener)),
      send: datagram => void waiting.push(datagram),
    }))
    await open(1)
    core.receive({ kind: 'connect', line: 1, peer })
    clock.advance(159)
    const numbers = waiting.map(datagram => parseRtp(datagram, new RtpPacket())!.sequence)
    expect(numbers).toHaveLength(8)
    expect(new Set(numbers).size).toBe(8)
  })
})
