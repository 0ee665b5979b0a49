import { FRAME_MS, FRAME_SAMPLES, SILENCE } from '../../src/media/audio.ts'
import { RtpWriter } from '../../src/media/rtp.ts'
import { PlaneCore } from '../../src/plane/core.ts'
import type { FromPlane } from '../../src/plane/protocol.ts'
import type { ToRecorder } from '../../src/plane/takes.ts'
import { seeded } from '../../test/support/random.ts'
import { VirtualClock } from '../../test/support/virtual-clock.ts'
import { VirtualNetwork } from '../../test/support/virtual-network.ts'

interface RecordedCall {
  readonly ms: number
  /** Of the caller's clock against ours. */
  readonly ppm: number
  readonly order: (clock: VirtualClock) => unknown
  readonly receive: (message: ToRecorder, clock: VirtualClock) => void
  /** When so much more of it has passed. */
  readonly each: { readonly ms: number; readonly run: () => void }
}

/** A frame's number, in every byte but the first ones nothing. */
const NUMBER_AT = 120
const NUMBER_MARK = 0x5a00_0000

export function numberIn(frame: Uint8Array): number | undefined {
  const read = new DataView(frame.buffer, frame.byteOffset).getUint32(NUMBER_AT)
  return read >>> 24 === NUMBER_MARK >>> 24 ? read & 0xff_ffff : undefined
}

/**
 * One call that is recorded from its first frame, by the media thread's own code, in virtual time: as fast as the machine goes.
 * The caller numbers its frames; tells when each of ours was sent.
 */
export async function recordedCall({ ms, ppm, order, receive, each }: RecordedCall): Promise<Float64Array> {
  const clock = new VirtualClock()
  const network = new VirtualNetwork(clock, seeded(1))
  const taken = new Int32Array(1)
  const posted: FromPlane[] = []
  const core = new PlaneCore({
    ...{ clock, random: seeded(2), forbiddenPorts: { start: 2, end: 3 }, openSocket: network.openSocket },
    ...{ afterTurn: run => void clock.after(0, run), taken: () => 0 },
    post: message => void posted.push(message),
  })
  core.receive({ kind: 'open', line: 1, law: 'ulaw' })
  await clock.settle()
  const sentMs = new Float64Array(Math.ceil(ms / FRAME_MS) + 10)
  let sent = 0
  const received = () => {
    sentMs[sent] = clock.now()
    sent += 1
  }
  const far = network.bind({ received, failed: () => {} })
  const { local } = posted.find(message => message.kind === 'opened')!
  const postMessage = (message: ToRecorder) => {
    receive(message, clock)
    if (message.kind === 'pairs') taken[0] = (taken[0]! + message.batch.audio.length) | 0
  }
  core.receive({ kind: 'recordTo', way: { port: { postMessage }, taken } })
  core.receive({ kind: 'record', line: 1, take: 1, order: order(clock) })
  core.receive({ kind: 'connect', line: 1, peer: far.local })

  const writer = new RtpWriter(0, seeded(3))
  const packet = new Uint8Array(12 + FRAME_SAMPLES)
  const frame = new Uint8Array(FRAME_SAMPLES).fill(SILENCE.ulaw)
  let number = 0
  const speak = () => {
    new DataView(frame.buffer).setUint32(NUMBER_AT, NUMBER_MARK | number)
    writer.write(packet, frame, false)
    far.send(packet, local)
    number += 1
    clock.after(callerMs(number, ppm) - clock.now(), speak)
  }
  clock.after(callerMs(0, ppm), speak)
  for (let passedMs = 0; passedMs < ms; passedMs += each.ms) {
    clock.advance(each.ms)
    each.run()
  }
  core.receive({ kind: 'close', line: 1 })
  return sentMs.subarray(0, sent)
}

/** When the caller's frame leaves, by our clock. */
export function callerMs(number: number, ppm: number): number {
  return 3 + number * FRAME_MS * (1 - ppm / 1e6)
}
