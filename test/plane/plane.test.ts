import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { limits } from '../../src/limits.ts'
import { type AudioSink, FRAME_SAMPLES, type FrameKind, type Law, SILENCE } from '../../src/media/audio.ts'
import { DECODED } from '../../src/media/g711.ts'
import { parseRtp, RtpPacket, RtpWriter } from '../../src/media/rtp.ts'
import type { Address, Heard, LineEvent } from '../../src/plane/line.ts'
import type { OpenSocket, SocketListener } from '../../src/plane/sockets.ts'
import { BusyClock } from '../support/busy-clock.ts'
import { localPlane } from '../support/local-plane.ts'
import { seeded } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { VirtualNetwork } from '../support/virtual-network.ts'

interface Sent {
  readonly atMs: number
  readonly marker: boolean
  readonly payloadType: number
  readonly sequence: number
  readonly timestamp: number
  readonly speech: boolean
  readonly first: number
}

function house(firstPort?: number) {
  return houseOn(new VirtualClock(), firstPort)
}

function houseOn<C extends Clock>(clock: C, firstPort?: number) {
  const network = new VirtualNetwork(clock, seeded(1), undefined, firstPort)
  const forbiddenPorts = { start: 10_000, end: 10_100 }
  const { plane, core } = localPlane({ clock, random: seeded(2), openSocket: network.openSocket, forbiddenPorts })
  return { clock, network, plane, core }
}

type House<C extends Clock> = ReturnType<typeof houseOn<C>>

/** A line that is connected to a far end which keeps all that it gets. */
function connected(law?: Law) {
  return connectedIn(house(), law)
}

async function connectedIn<C extends Clock>(parts: House<C>, law: Law = 'ulaw') {
  const { clock, network, plane } = parts
  const line = await plane.open(law)
  const sent: Sent[] = []
  const far = network.bind({
    received: datagram => {
      const packet = parseRtp(datagram, new RtpPacket())!
      const { marker, payloadType, sequence, timestamp, start } = packet
      const first = datagram[start]!
      const speech = first !== SILENCE[law]
      sent.push({ atMs: clock.now(), marker, payloadType, sequence, timestamp, speech, first })
    },
    failed: () => {},
  })
  const events: LineEvent[] = []
  line.onEvent(event => events.push(event))
  line.connect(far.local)
  return { ...parts, line, far, sent, events }
}

/** Speech whose frames are told apart by their bytes. */
function speech(frames: number, from = 1): Uint8Array {
  return Uint8Array.from({ length: frames * FRAME_SAMPLES }, (_, at) => from + Math.floor(at / FRAME_SAMPLES))
}

function sink(): AudioSink & { readonly frames: { first: number; timeMs: number; kind: FrameKind }[] } {
  const frames: { first: number; timeMs: number; kind: FrameKind }[] = []
  return {
    format: { encoding: 'ulaw', rate: 8_000 },
    frames,
    write: (frame, timeMs, kind) => void frames.push({ first: frame[0]!, timeMs, kind }),
  }
}

describe('a line', () => {
  it('sends nothing before it is connected, and from then on a packet every 20 ms, in step, without end', async () => {
    const parts = house()
    const unconnected = await parts.plane.open('ulaw')
    parts.clock.advance(1_000)
    expect((await unconnected.figures()).sent.packets).toBe(0)
    const { clock, sent } = await connectedIn(parts)
    const began = clock.now()
    clock.advance(1_000)
    expect(sent).toHaveLength(1 + Math.floor((clock.now() - sent[0]!.atMs) / 20))
    expect(sent[0]!.atMs - began).toBeLessThanOrEqual(20)
    for (const [index, packet] of sent.slice(1).entries()) {
      expect(packet.atMs - sent[index]!.atMs).toBe(20)
      expect((packet.sequence - sent[index]!.sequence) & 0xffff).toBe(1)
      expect((packet.timestamp - sent[index]!.timestamp) >>> 0).toBe(FRAME_SAMPLES)
      expect(packet).toMatchObject({ speech: false, marker: false })
    }
  })

  it('begins a spurt at once, marks it, keeps 20 ms within it, and pays the lead back in silence', async () => {
    const { clock, line, sent } = await connected()
    clock.advance(207)
    const beganMs = clock.now()
    line.speak({ utterance: 1, audio: speech(10), text: 'ten frames', last: true })
    expect(sent.at(-1)).toMatchObject({ atMs: beganMs, speech: true, marker: true })
    clock.advance(1_000)
    const spurt = sent.filter(packet => packet.speech)
    expect(spurt).toHaveLength(10)
    for (const [index, packet] of spurt.slice(1).entries()) {
      // The first left between two turns of the wheel, which are 2 ms apart; from the second on the spacing is exact.
      expect(Math.abs(packet.atMs - spurt[index]!.atMs - 20)).toBeLessThanOrEqual(index === 0 ? 2 : 0)
      expect(packet.marker).toBe(false)
    }
    for (const [index, packet] of sent.slice(1).entries()) {
      expect((packet.timestamp - sent[index]!.timestamp) >>> 0).toBe(FRAME_SAMPLES)
    }
    // Two seconds of packets at 20 ms each, and the lead of the spurt is gone.
    const lastMs = sent.at(-1)!.atMs
    const elapsedFrames = (lastMs - sent[0]!.atMs) / 20
    expect(elapsedFrames).toBe(sent.length - 1)
  })

  it('never runs ahead by more than 20 ms, however many spurts begin', async () => {
    const { clock, line, sent } = await connected()
    for (let utterance = 1; utterance <= 60; utterance++) {
      clock.advance(27)
      line.speak({ utterance, audio: speech(1, utterance), text: '', last: true })
    }
    clock.advance(500)
    for (const [index, packet] of sent.entries()) {
      expect(packet.atMs).toBeGreaterThanOrEqual(sent[0]!.atMs + index * 20 - 20)
    }
    expect(sent.filter(packet => packet.speech).map(packet => packet.first)).toEqual(
      Array.from({ length: 60 }, (_, i) => i + 1),
    )
  })

  it('is silent in the very next frame after pause, and goes on at that sample', async () => {
    const { clock, line, sent } = await connected()
    clock.advance(100)
    line.speak({ utterance: 1, audio: speech(20), text: 'twenty frames', last: true })
    clock.advance(95)
    const before = sent.filter(packet => packet.speech).length
    line.pause()
    clock.advance(400)
    expect(sent.filter(packet => packet.speech)).toHaveLength(before)
    line.resume()
    clock.advance(1_000)
    expect(sent.filter(packet => packet.speech).map(packet => packet.first)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    )
  })

  it('drops what is unplayed on cancel, tells what was heard, and plays nothing that comes late', async () => {
    const { clock, line, sent } = await connected()
    clock.advance(100)
    line.speak({ utterance: 1, audio: speech(10), text: 'one two three four five', last: false })
    clock.advance(99)
    const heardFrames = sent.filter(packet => packet.speech).length
    const heard = line.cancel()
    line.speak({ utterance: 1, audio: speech(10, 50), text: 'late', last: true })
    clock.advance(1_000)
    expect(await heard).toEqual([
      { utterance: 1, text: expect.stringMatching(/^one two/), ms: heardFrames * 20, complete: false } satisfies Heard,
    ])
    expect(sent.filter(packet => packet.speech)).toHaveLength(heardFrames)
    line.speak({ utterance: 2, audio: speech(1, 99), text: 'new', last: true })
    clock.advance(100)
    expect(sent.filter(packet => packet.speech).at(-1)?.first).toBe(99)
  })

  it('begins at once again when it goes on after a pause', async () => {
    const { clock, line, sent } = await connected()
    line.speak({ utterance: 1, audio: speech(20), text: '', last: true })
    clock.advance(50)
    line.pause()
    clock.advance(307)
    line.resume()
    expect(sent.at(-1)).toMatchObject({ atMs: clock.now(), speech: true, marker: true, first: 4 })
  })

  it('keeps what it was given, whatever its giver does with the buffer', async () => {
    const { clock, line, sent } = await connected()
    const buffer = Buffer.from(speech(3))
    line.speak({ utterance: 1, audio: buffer, text: '', last: true })
    buffer.fill(99)
    clock.advance(200)
    expect(sent.filter(packet => packet.speech).map(packet => packet.first)).toEqual([1, 2, 3])
  })

  it('speaks the law of its call', async () => {
    const { clock, sent } = await connected('alaw')
    clock.advance(100)
    expect(sent.length).toBeGreaterThanOrEqual(5)
    expect(sent.every(packet => packet.payloadType === 8 && packet.first === SILENCE.alaw)).toBe(true)
  })

  it('after a stall makes up for a little, leaves out the rest, and keeps its times true', async () => {
    const { clock, line, sent, events } = await connectedIn(houseOn(new BusyClock()))
    const tapped = sink()
    line.tap(tapped)
    line.speak({ utterance: 1, audio: speech(30), text: '', last: true })
    clock.inner.advance(200)
    const before = sent.length
    clock.lateMs = 5_000
    clock.inner.advance(20)
    const burst = sent.slice(before)
    expect(burst).toHaveLength(1 + limits.media.catchUpMs / 20)
    // The time that was left out shows as a leap of the timestamp, which begins a new spurt; the numbers run on.
    const leapMs = ((burst[0]!.timestamp - sent[before - 1]!.timestamp) >>> 0) / 8
    expect(leapMs).toBe(5_000 - limits.media.catchUpMs + 20)
    expect(burst.map(packet => packet.marker)).toEqual([true, false, false, false, false, false])
    expect((burst[0]!.sequence - sent[before - 1]!.sequence) & 0xffff).toBe(1)
    clock.inner.advance(1_000)
    expect(sent.filter(packet => packet.speech).map(packet => packet.first)).toEqual(
      Array.from({ length: 30 }, (_, index) => index + 1),
    )
    const lastSpeech = tapped.frames.findLast(frame => frame.first !== SILENCE.ulaw)!
    expect(events.at(-1)).toMatchObject({ kind: 'finished', atMs: lastSpeech.timeMs + 20 })
    const figures = await line.figures()
    expect(figures.sent).toMatchObject({ skippedFrames: leapMs / 20 - 1, lateFrames: burst.length - 1 })
    expect(figures.sent.worstLateMs).toBe(limits.media.catchUpMs)
  })

  it('tells when an utterance begins and has been heard to its end', async () => {
    const { clock, line, events } = await connected()
    line.speak({ utterance: 7, audio: speech(3), text: 'hello', last: true })
    clock.advance(200)
    expect(events).toMatchObject([
      { kind: 'started', utterance: 7 },
      { kind: 'finished', heard: { utterance: 7, text: 'hello', ms: 60, complete: true } },
    ])
  })

  it('hands on what its peer sends, in the turn in which it comes, and nothing of anybody else', async () => {
    const { clock, network, line, far } = await connected()
    const heard = sink()
    const stop = line.hear(heard)
    const stranger = network.bind({ received: () => {}, failed: () => {} })
    const writer = new RtpWriter(0, seeded(5))
    const packet = new Uint8Array(172)
    for (let frame = 1; frame <= 5; frame++) {
      writer.write(packet, speech(1, frame), false)
      far.send(packet, line.local)
      stranger.send(packet, line.local)
      clock.advance(20)
    }
    far.send(new Uint8Array([1, 2, 3]), line.local)
    expect(heard.frames.map(({ first, timeMs, kind }) => [first, timeMs, kind])).toEqual(
      Array.from({ length: 5 }, (_, index) => [index + 1, index * 20, 'heard']),
    )
    expect((await line.figures()).received).toMatchObject({ packets: 5, strangers: 5, invalid: 1, lost: 0 })
    stop()
    far.send(packet, line.local)
    clock.advance(20)
    expect(heard.frames).toHaveLength(5)
  })

  it('supplies silence, marked as missing, while its peer sends nothing', async () => {
    const { clock, line, far } = await connected()
    const heard = sink()
    line.hear(heard)
    const packet = new Uint8Array(172)
    new RtpWriter(0, seeded(5)).write(packet, speech(1), false)
    far.send(packet, line.local)
    clock.advance(400)
    expect(heard.frames[0]).toEqual({ first: 1, timeMs: 0, kind: 'heard' })
    expect(heard.frames.length).toBeGreaterThan(15)
    for (const [index, frame] of heard.frames.slice(1).entries()) {
      expect(frame).toEqual({ first: SILENCE.ulaw, timeMs: 20 * (index + 1), kind: 'missing' })
    }
  })

  it('hands every listener its own format', async () => {
    const { clock, line } = await connected()
    const plain = sink()
    const samples: number[] = []
    line.tap(plain)
    const stop = line.tap({
      format: { encoding: 'pcm16', rate: 8_000 },
      write: frame => void samples.push(frame.length, frame[0]!),
    })
    line.speak({ utterance: 1, audio: new Uint8Array(FRAME_SAMPLES).fill(0x80), text: '', last: true })
    clock.advance(0)
    expect(samples).toEqual([FRAME_SAMPLES, DECODED.ulaw[0x80]])
    stop()
    clock.advance(100)
    expect(samples).toHaveLength(2)
    // The one that is left goes on hearing.
    expect(plain.frames.length).toBeGreaterThanOrEqual(5)
  })

  it('counts a frame as late from 2 ms after its deadline on', async () => {
    const { clock, line } = await connectedIn(houseOn(new BusyClock()))
    clock.inner.advance(100)
    clock.lateMs = 1.9
    clock.inner.advance(100)
    expect((await line.figures()).sent).toMatchObject({ lateFrames: 0, worstLateMs: expect.closeTo(1.9) })
    clock.lateMs += 2.1
    clock.inner.advance(20)
    expect((await line.figures()).sent).toMatchObject({ lateFrames: 1, worstLateMs: expect.closeTo(2.1) })
  })

  it('lets what it sends be tapped, silence included', async () => {
    const { clock, line, sent } = await connected()
    const tapped = sink()
    line.tap(tapped)
    line.speak({ utterance: 1, audio: speech(2), text: '', last: true })
    clock.advance(200)
    expect(tapped.frames.map(frame => frame.first)).toEqual(sent.map(packet => packet.first))
    expect(tapped.frames.map(frame => frame.timeMs)).toEqual(sent.map((_, index) => index * 20))
  })

  it('never takes a port of the forbidden range', async () => {
    const { plane, network } = house(10_095)
    const line = await plane.open('ulaw')
    expect(line.local.port).toBe(10_101)
    expect(network.openSockets).toBe(1)
  })

  it('leaves no socket, no timer and nobody waiting when it closes', async () => {
    const { clock, network, line, core, far } = await connected()
    line.hear(sink())
    line.speak({ utterance: 1, audio: speech(100), text: '', last: true })
    clock.advance(100)
    far.close()
    const cancelled = line.cancel()
    await line.close()
    await line.close()
    await cancelled
    clock.advance(10)
    expect(await line.cancel()).toEqual([])
    await expect(line.figures()).rejects.toThrow(/closed/)
    expect(network.openSockets).toBe(0)
    expect(core.lineCount).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

describe('a line that fails', () => {
  it('costs no other line anything, and tells once', async () => {
    const parts = house()
    const sockets: SocketListener[] = []
    let broken = false
    const openSocket: OpenSocket = async listener => {
      sockets.push(listener)
      const socket = parts.network.bind(listener)
      const send = (datagram: Uint8Array, to: Address) => {
        if (broken && listener === sockets[0]) throw new Error('no way out')
        socket.send(datagram, to)
      }
      return { ...socket, send }
    }
    const forbiddenPorts = { start: 1, end: 2 }
    const { plane, core } = localPlane({ clock: parts.clock, random: seeded(2), openSocket, forbiddenPorts })
    const failing = await connectedIn({ ...parts, plane, core })
    const whole = await connectedIn({ ...parts, plane, core })
    parts.clock.advance(100)
    broken = true
    parts.clock.advance(1_000)
    expect(failing.events).toEqual([{ kind: 'failed', message: 'no way out' }])
    expect(whole.sent.length).toBeGreaterThanOrEqual(55)
    sockets[1]!.failed('its network is down')
    sockets[1]!.failed('its network is down')
    const count = whole.sent.length
    whole.line.connect(whole.far.local)
    parts.clock.advance(1_000)
    expect(whole.events).toEqual([{ kind: 'failed', message: 'its network is down' }])
    expect(whole.sent).toHaveLength(count)
    expect((await whole.line.figures()).sent.packets).toBe(count)
    // Only the two far ends are left.
    expect(parts.network.openSockets).toBe(2)
    await Promise.all([failing.line.close(), whole.line.close()])
    expect(core.lineCount).toBe(0)
  })

  it.each([
    { address: 'localhost', port: 4_000 },
    { address: '127.0.0.1', port: 0 },
    { address: '127.0.0.1', port: 65_536 },
    { address: '127.0.0.1', port: Number.NaN },
  ])('is not made by connecting to $address:$port: that is refused at once', async peer => {
    const { plane, clock } = house()
    const line = await plane.open('ulaw')
    expect(() => line.connect(peer)).toThrow(/cannot be sent to/)
    clock.advance(100)
    expect((await line.figures()).sent.packets).toBe(0)
  })
})

describe('the plane', () => {
  it('refuses more lines than its bound, in words', async () => {
    const { plane } = house()
    await Promise.all(Array.from({ length: limits.media.lines }, () => plane.open('ulaw')))
    await expect(plane.open('ulaw')).rejects.toThrow(/no more than 600 lines/)
  })

  it('costs one call its frames when its listener fails, and no other', async () => {
    const parts = house()
    const broken = await connectedIn(parts)
    const whole = await connectedIn(parts)
    const heard = sink()
    broken.line.tap({
      ...sink(),
      write: () => {
        throw new Error('deaf')
      },
    })
    whole.line.tap(heard)
    parts.clock.advance(200)
    expect(heard.frames.length).toBeGreaterThanOrEqual(9)
    expect(broken.events).toEqual([{ kind: 'failed', message: 'a listener failed: deaf' }])
  })
})

describe('whatever the agent does', () => {
  const step = fc.record({
    do: fc.constantFrom('wait', 'wait', 'speak', 'speak', 'pause', 'resume', 'cancel'),
    ms: fc.integer({ min: 0, max: 130 }),
    frames: fc.integer({ min: 0, max: 12 }),
    last: fc.boolean(),
  })

  it('packets keep their rhythm, no frame is lost, doubled or overtaken, and what was heard is what was sent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
        const { clock, line, sent, events } = await connected()
        let utterance = 1
        let paused = false
        let heardMs = 0
        for (const each of steps) {
          if (each.do === 'wait') clock.advance(each.ms)
          if (each.do === 'pause' || each.do === 'resume') paused = each.do === 'pause'
          if (each.do === 'pause') line.pause()
          if (each.do === 'resume') line.resume()
          if (each.do === 'speak') {
            line.speak({ utterance, audio: speech(each.frames, utterance), text: '', last: each.last })
            if (each.last) utterance += 1
          }
          if (each.do === 'cancel') {
            const before = sent.length
            heardMs += (await line.cancel()).reduce((sum, heard) => sum + heard.ms, 0)
            paused = false
            utterance += 1
            clock.advance(40)
            expect(sent.slice(before).some(packet => packet.speech)).toBe(false)
          }
          if (paused) {
            const before = sent.length
            clock.advance(60)
            expect(sent.slice(before).some(packet => packet.speech)).toBe(false)
          }
        }
        line.resume()
        clock.advance(1_000)
        heardMs += (await line.cancel()).reduce((sum, heard) => sum + heard.ms, 0)
        for (const event of events) if (event.kind === 'finished') heardMs += event.heard.ms
        expect(heardMs).toBe(20 * sent.filter(packet => packet.speech).length)
        for (const [index, packet] of sent.slice(1).entries()) {
          const before = sent[index]!
          expect((packet.sequence - before.sequence) & 0xffff).toBe(1)
          expect((packet.timestamp - before.timestamp) >>> 0).toBe(FRAME_SAMPLES)
          expect(packet.marker).toBe(packet.speech && !before.speech)
          const gapMs = packet.atMs - before.atMs
          expect(gapMs).toBeLessThanOrEqual(22)
          if (before.speech) expect(gapMs).toBeGreaterThanOrEqual(19)
          if (before.speech && packet.speech) expect(gapMs).toBeLessThanOrEqual(21)
          // 20 ms ahead, and 1 ms to the middle between two turns.
          expect(packet.atMs).toBeGreaterThanOrEqual(sent[0]!.atMs + (index + 1) * 20 - 21)
        }
        expect(events.filter(event => event.kind === 'failed')).toEqual([])
        await line.close()
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 60, seed: 11 },
    )
  })
})
