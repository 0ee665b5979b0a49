import { FRAME_MS, FRAME_SAMPLES, type Law, SILENCE } from '../../src/media/audio.ts'
import { parseRtp, RtpPacket } from '../../src/media/rtp.ts'
import type { Address } from '../../src/plane/line.ts'
import type { ToPlane } from '../../src/plane/protocol.ts'

interface Utterance {
  readonly id: number
  readonly chunks: Uint8Array[]
  offset: number
  left: number
  ended: boolean
}

/** What one frame on the wire says: so many milliseconds of that utterance. */
interface Said {
  readonly utterance: number
  readonly ms: number
}

interface Arrived {
  readonly fromPeer: number
  /** From anywhere else than where the line was told to listen. */
  readonly strangers: number
}

const BYTES_PER_MS = 8
/** The lead of a talk spurt, and what of it is paid back a frame. */
const LEAD_MS = 20
const PAY_BACK_MS = 2
const ROUNDING_MS = 0.001

/**
 * What must leave a line, frame by frame, told from the orders that the media thread was given: the bytes of each
 * utterance in their order, nothing of what was cancelled, silence while paused, a packet every 20 ms.
 */
export class Ledger {
  readonly #blame: (message: string) => void
  /** Known with the line's first order. */
  law: Law = 'ulaw'
  /** A caller can hear now. */
  audible = false
  /** Packets that had reached the line when its figures were last asked for. */
  told: Arrived | undefined
  #arrived: Arrived = { fromPeer: 0, strangers: 0 }
  #peer: Address | undefined
  lastSentMs: number | undefined
  readonly #queue: Utterance[] = []
  readonly #said = new Map<number, Said>()
  readonly #packet = new RtpPacket()
  #newest = Number.NEGATIVE_INFINITY
  #paused = false
  #closed = false
  #inSpurt = false
  #firstSentMs = 0
  #packets = 0
  #leastLeadMs = 0
  #ssrc = 0
  #sequence = 0
  #timestamp = 0

  constructor(blame: (message: string) => void) {
    this.#blame = blame
  }

  /** What the packet of this number said; nothing for silence. */
  said(sequence: number): Said | undefined {
    return this.#said.get(sequence)
  }

  ordered(message: ToPlane): void {
    switch (message.kind) {
      case 'speak':
        return this.#speak(message.chunk)
      case 'connect':
        this.#peer = message.peer
        return
      case 'stats':
        this.told = this.#arrived
        return
      case 'pause':
        this.#paused = true
        return
      case 'resume':
        this.#paused = false
        return
      case 'cancel':
        this.#queue.length = 0
        this.#paused = false
        return
      case 'close':
        this.#closed = true
    }
  }

  #speak({ utterance: id, audio, last }: Extract<ToPlane, { kind: 'speak' }>['chunk']): void {
    let utterance = this.#queue.find(queued => queued.id === id)
    if (!utterance) {
      if (id <= this.#newest) return
      this.#newest = id
      utterance = { id, chunks: [], offset: 0, left: 0, ended: false }
      this.#queue.push(utterance)
    }
    if (utterance.ended) return
    utterance.chunks.push(audio.slice())
    utterance.left += audio.length
    utterance.ended = last
  }

  arrived(address: string, port: number): void {
    const { fromPeer, strangers } = this.#arrived
    const isPeer = port === this.#peer?.port && address === this.#peer.address
    this.#arrived = isPeer ? { fromPeer: fromPeer + 1, strangers } : { fromPeer, strangers: strangers + 1 }
  }

  sent(datagram: Uint8Array, atMs: number): void {
    const packet = parseRtp(datagram, this.#packet)
    if (this.#closed) return this.#blame('a packet left after the line was closed')
    if (!packet || packet.end - packet.start !== FRAME_SAMPLES) return this.#blame('something else than a frame left')
    this.#checkStream(packet, atMs)
    const payload = datagram.subarray(packet.start, packet.end)
    const said = this.#checkAudio(payload)
    if (said) this.#said.set(packet.sequence, said)
    if (said && !this.audible) this.#blame('speech left before the caller could hear it')
    if (packet.marker !== (said !== undefined && !this.#inSpurt)) this.#blame(`the marker is ${packet.marker}`)
    this.#inSpurt = said !== undefined
  }

  #checkStream({ ssrc, sequence, timestamp }: RtpPacket, atMs: number): void {
    if (this.lastSentMs === undefined) this.#firstSentMs = atMs
    else {
      if (ssrc !== this.#ssrc) this.#blame('the source changed in mid-call')
      if (sequence !== ((this.#sequence + 1) & 0xffff)) this.#blame('a sequence number is missing')
      if (timestamp !== (this.#timestamp + FRAME_SAMPLES) >>> 0) this.#blame('the timestamps are not continuous')
      this.checkSpacing(atMs)
    }
    const leadMs = this.#packets * FRAME_MS - (atMs - this.#firstSentMs)
    this.#leastLeadMs = Math.min(this.#leastLeadMs, leadMs)
    if (leadMs - this.#leastLeadMs > LEAD_MS + PAY_BACK_MS) this.#blame(`it ran ${leadMs - this.#leastLeadMs} ms ahead`)
    this.#packets += 1
    this.lastSentMs = atMs
    this.#ssrc = ssrc
    this.#sequence = sequence
    this.#timestamp = timestamp
  }

  /** The stream never stops while the line is open. */
  checkSpacing(nowMs: number): void {
    const gapMs = nowMs - (this.lastSentMs ?? nowMs)
    if (gapMs > FRAME_MS + PAY_BACK_MS + ROUNDING_MS) this.#blame(`nothing was sent for ${gapMs} ms`)
  }

  #checkAudio(payload: Uint8Array): Said | undefined {
    while (this.#queue[0]?.ended && this.#queue[0].left === 0) this.#queue.shift()
    const head = this.#queue[0]
    const silence = SILENCE[this.law]
    const ready = head && !this.#paused && (head.left >= FRAME_SAMPLES || (head.ended && head.left > 0))
    if (!ready) {
      if (payload.some(byte => byte !== silence))
        this.#blame(`${this.#paused ? 'paused' : 'with nothing to say'}, it spoke`)
      return undefined
    }
    const count = Math.min(FRAME_SAMPLES, head.left)
    for (let i = 0; i < count; i++) {
      if (payload[i] === this.#next(head)) continue
      this.#blame(`the ${i}th byte of a frame is not what follows of utterance ${head.id}`)
      // One wrong byte is told once.
      head.left = 0
      return undefined
    }
    for (let i = count; i < FRAME_SAMPLES; i++) if (payload[i] !== silence) this.#blame('a short frame ends in noise')
    return { utterance: head.id, ms: count / BYTES_PER_MS }
  }

  #next(utterance: Utterance): number {
    while (utterance.offset === utterance.chunks[0]!.length) {
      utterance.chunks.shift()
      utterance.offset = 0
    }
    utterance.left -= 1
    return utterance.chunks[0]![utterance.offset++]!
  }
}
