import { limits } from '../limits.ts'
import { type Law, SILENCE } from '../media/audio.ts'
import { ENCODED, encode } from '../media/g711.ts'
import { toneGenerator } from '../media/tone.ts'
import { digitPayloads } from './digits.ts'

/** `cut`: the call ended first. */
export type Played = 'sent' | 'cut'

type Item =
  | { readonly kind: 'speech'; readonly samples: Int16Array; at: number; readonly done: (played: Played) => void }
  | { readonly kind: 'key'; readonly digit: string; readonly done: (played: Played) => void }

/** One packet of a key that is held down. */
export interface KeyPacket {
  readonly payload: Uint8Array
  readonly first: boolean
}

interface HeldKey {
  readonly payloads: readonly Uint8Array[]
  at: number
  readonly done: (played: Played) => void
}

const SAMPLES_PER_MS = 8
const RATE = 8_000
/** Of a hummed tone, in dBFS. */
const HUM_DB = -12
/** Between one digit and the next, so that two alike are two. */
const KEY_UP_MS = 80
const keyUp = new Int16Array(KEY_UP_MS * SAMPLES_PER_MS)

/** What the caller is about to say and to key in, in this order. When there is nothing: silence, or the tone that it hums. */
export class Outgoing {
  readonly #items: Item[] = []
  #unsaidSamples = 0
  #key: HeldKey | undefined
  #ended = false
  #hum: ((into: Int16Array) => Int16Array) | undefined

  /** What is said where there is nothing else to say: this tone, or silence. */
  hum(hz: number | undefined): void {
    this.#hum = hz === undefined ? undefined : toneGenerator(RATE, hz, HUM_DB)
  }

  say(samples: Int16Array): Promise<Played> {
    if (this.#unsaidSamples + samples.length > limits.media.unplayedMs * SAMPLES_PER_MS) {
      return Promise.reject(new RangeError(`more than ${limits.media.unplayedMs} ms wait to be played`))
    }
    this.#unsaidSamples += samples.length
    return this.#add(done => ({ kind: 'speech', samples, at: 0, done }))
  }

  async press(digits: string): Promise<Played> {
    if (digits.length > limits.caller.digits) throw new RangeError(`more than ${limits.caller.digits} digits`)
    // Refuses a wrong digit before any is sent.
    for (const digit of digits) digitPayloads(digit, 1)
    const pressed = [...digits].flatMap(digit => [
      this.#add(done => ({ kind: 'key', digit, done })),
      this.#add(done => ({ kind: 'speech', samples: keyUp, at: 0, done })),
    ])
    return (await Promise.all(pressed)).includes('cut') ? 'cut' : 'sent'
  }

  /** Fills the frame with what comes next, unless that is a key, of which this is the next packet. */
  next(frame: Uint8Array, law: Law): KeyPacket | undefined {
    const first = this.#items[0]
    if (!this.#key && first?.kind === 'key') {
      this.#items.shift()
      const packetMs = frame.length / SAMPLES_PER_MS
      this.#key = { payloads: digitPayloads(first.digit, packetMs), at: 0, done: first.done }
    }
    return this.#key ? this.#nextOfKey(this.#key) : this.#fill(frame, law)
  }

  #nextOfKey(key: HeldKey): KeyPacket {
    const packet = { payload: key.payloads[key.at]!, first: key.at === 0 }
    key.at += 1
    if (key.at === key.payloads.length) {
      this.#key = undefined
      key.done('sent')
    }
    return packet
  }

  #fill(frame: Uint8Array, law: Law): undefined {
    const encoded = ENCODED[law]
    let filled = 0
    for (let item = this.#items[0]; item?.kind === 'speech' && filled < frame.length; item = this.#items[0]) {
      const count = Math.min(frame.length - filled, item.samples.length - item.at)
      for (let i = 0; i < count; i++) frame[filled++] = encoded[item.samples[item.at++]! & 0xffff]!
      if (item.samples !== keyUp) this.#unsaidSamples -= count
      if (item.at < item.samples.length) break
      this.#items.shift()
      item.done('sent')
    }
    if (this.#hum) encode(law, this.#hum(new Int16Array(frame.length - filled)), frame.subarray(filled))
    else frame.fill(SILENCE[law], filled)
  }

  end(): void {
    this.#ended = true
    this.#key?.done('cut')
    for (const item of this.#items.splice(0)) item.done('cut')
  }

  #add(item: (done: (played: Played) => void) => Item): Promise<Played> {
    if (this.#ended) return Promise.resolve('cut')
    const { promise, resolve } = Promise.withResolvers<Played>()
    this.#items.push(item(resolve))
    return promise
  }
}
