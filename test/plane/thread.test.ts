import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { constants, getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FRAME_SAMPLES, SILENCE } from '../../src/media/audio.ts'
import { parseRtp, RtpPacket, RtpWriter } from '../../src/media/rtp.ts'
import type { PlaneHandle } from '../../src/plane/handle.ts'
import type { LineEvent } from '../../src/plane/line.ts'
import { openPlane } from '../../src/plane/open-plane.ts'
import { seeded } from '../support/random.ts'

const trouble: string[] = []
/** The media thread that was started last. */
let thread: Worker
process.on('worker', (worker: Worker) => {
  thread = worker
})
let plane: PlaneHandle
let far: Socket

beforeEach(async () => {
  trouble.length = 0
  plane = openPlane({ forbiddenPorts: { start: 10_000, end: 10_100 }, onTrouble: text => trouble.push(text) })
  far = createSocket('udp4')
  far.bind(0, '127.0.0.1')
  await once(far, 'listening')
})
afterEach(async () => {
  await plane.close()
  far.close()
})

function farAddress() {
  return { address: '127.0.0.1', port: far.address().port }
}

async function nextSpeech(): Promise<number> {
  while (true) {
    const [datagram] = (await once(far, 'message')) as [Buffer]
    const packet = parseRtp(datagram, new RtpPacket())!
    if (datagram[packet.start] !== SILENCE.ulaw) return datagram[packet.start]!
  }
}

/** Nothing on this thread runs for so long: no timer, no message, no socket. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** CAP_SYS_NICE, which root has (capabilities(7)). */
function mayGoFirst(): boolean {
  const [, effective = '0'] = /^CapEff:\t([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return (BigInt(`0x${effective}`) & (1n << 23n)) !== 0n
}

describe('the media thread', () => {
  it('carries audio both ways over real sockets', async () => {
    const line = await plane.open('ulaw')
    line.connect(farAddress())
    line.speak({ utterance: 1, audio: new Uint8Array(FRAME_SAMPLES).fill(77), text: 'x', last: true })
    expect(await nextSpeech()).toBe(77)
    const heard = new Promise<number>(resolve => {
      const format = { encoding: 'ulaw', rate: 8_000 } as const
      line.hear({ format, write: frame => resolve(frame[0]!) })
    })
    const packet = new Uint8Array(172)
    new RtpWriter(0, seeded(1)).write(packet, new Uint8Array(FRAME_SAMPLES).fill(33), false)
    // The request to hear is on its way to the other thread; the figures come back behind it.
    await line.figures()
    far.send(packet, line.local.port, line.local.address)
    expect(await heard).toBe(33)
  })

  it('goes ahead of every other thread of the program, where the system lets it', async () => {
    await plane.open('ulaw')
    const priorities = readdirSync('/proc/self/task').map(thread => getPriority(Number(thread)))
    const { PRIORITY_HIGHEST } = constants.priority
    expect(priorities.filter(each => each < getPriority())).toEqual(mayGoFirst() ? [PRIORITY_HIGHEST] : [])
  })

  it('goes on playing, and obeys a cancel, while the main thread is blocked', async () => {
    const line = await plane.open('ulaw')
    const counter = new Worker(
      `const { parentPort } = require('node:worker_threads')
       const socket = require('node:dgram').createSocket('udp4')
       const count = { all: 0, speech: 0 }
       socket.on('message', packet => { count.all++; if (packet[12] !== 0xff) count.speech++ })
       socket.bind(0, '127.0.0.1', () => parentPort.postMessage(socket.address().port))
       parentPort.on('message', () => parentPort.postMessage({ ...count }))`,
      { eval: true },
    )
    const ask = async () => {
      counter.postMessage('count')
      return (await once(counter, 'message'))[0] as { all: number; speech: number }
    }
    const [port] = await once(counter, 'message')
    line.connect({ address: '127.0.0.1', port })
    const started = new Promise<void>(resolve => line.onEvent(event => event.kind === 'started' && resolve()))
    line.speak({ utterance: 1, audio: new Uint8Array(100 * FRAME_SAMPLES).fill(77), text: '', last: true })
    await started
    const before = await ask()
    block(300)
    const during = await ask()
    expect(during.speech - before.speech).toBeGreaterThan(5)

    const cancelled = line.cancel()
    block(200)
    const [heard] = await cancelled
    await line.figures()
    const after = await ask()
    expect(after.all).toBeGreaterThan(during.all)
    expect(after.speech).toBe(heard!.ms / 20)
    await counter.terminate()
  })

  it('that dies takes its lines with it, in words, and is started again', async () => {
    const line = await plane.open('ulaw')
    const events: LineEvent[] = []
    line.onEvent(event => events.push(event))
    const died = new Promise<void>(resolve => line.onEvent(() => resolve()))
    const question = line.figures().catch(error => String(error))
    await thread.terminate()
    await died
    expect(await question).toBeDefined()
    expect(events).toMatchObject([{ kind: 'failed' }])
    expect(trouble[0]).toMatch(/handed back/)
    await line.close()
    expect(plane.alive).toBe(true)
    const next = await plane.open('ulaw')
    expect((await next.figures()).sent.packets).toBe(0)
    await next.close()
  })

  it("takes speech from a piece of a shared buffer, which stays its owner's", async () => {
    const line = await plane.open('ulaw')
    line.connect(farAddress())
    const audio = Buffer.from(new Uint8Array(FRAME_SAMPLES).fill(78))
    line.speak({ utterance: 1, audio, text: 'x', last: true })
    expect(await nextSpeech()).toBe(78)
    expect(audio[FRAME_SAMPLES - 1]).toBe(78)
  })

  it('opens and closes a hundred lines and is left with none', async () => {
    await (await plane.open('ulaw')).close()
    const descriptors = readdirSync('/proc/self/fd').length
    for (let round = 0; round < 10; round++) {
      const lines = await Promise.all(Array.from({ length: 10 }, () => plane.open('alaw')))
      expect(new Set(lines.map(line => line.local.port)).size).toBe(10)
      for (const line of lines) line.connect(farAddress())
      await Promise.all(lines.map(line => line.close()))
    }
    expect(plane.lineCount).toBe(0)
    expect(readdirSync('/proc/self/fd')).toHaveLength(descriptors)
  })
})
