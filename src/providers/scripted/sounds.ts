import { limits } from '../../limits.ts'
import type { AudioFormat } from '../../media/audio.ts'
import { encode } from '../../media/g711.ts'
import { toneGenerator } from '../../media/tone.ts'

const TONE_DB = -12
const WORD_DB = -26
/** About as fast as people speak. */
const MS_PER_LETTER = 65
const EDGE_MS = 2
const directive = /\[tone (\d{2,4}) (\d{1,6})ms\]|(\S+)/g

/** Text as sound, each text rendered once: `[tone 440 600ms]` is that tone, any other word a soft hum of its own. */
export class Sounds {
  readonly #format: AudioFormat
  readonly #rendered = new Map<string, Uint8Array>()

  constructor(format: AudioFormat) {
    this.#format = format
  }

  render(text: string): Uint8Array {
    let audio = this.#rendered.get(text)
    if (!audio) {
      audio = bytesOf(samplesOf(text, this.#format.rate), this.#format)
      this.#rendered.set(text, audio)
      if (this.#rendered.size > limits.scripted.renderedTexts)
        this.#rendered.delete(this.#rendered.keys().next().value!)
    }
    return audio
  }
}

function samplesOf(text: string, rate: number): Int16Array {
  const parts = [...text.matchAll(directive)].map(([, hz, ms, word]) =>
    word === undefined ? tone(Number(hz), Number(ms), TONE_DB, rate) : hum(word, rate),
  )
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    samples.set(part, at)
    at += part.length
  }
  return samples
}

function tone(hz: number, ms: number, levelDb: number, rate: number): Int16Array {
  const bounded = Math.min(ms, limits.scripted.toneMs)
  const samples = toneGenerator(rate, hz, levelDb)(new Int16Array(Math.round((bounded * rate) / 1_000)))
  const edge = Math.min((EDGE_MS * rate) / 1_000, samples.length / 2)
  for (let i = 0; i < edge; i++) {
    samples[i] = Math.round((samples[i]! * i) / edge)
    samples[samples.length - 1 - i] = Math.round((samples[samples.length - 1 - i]! * i) / edge)
  }
  return samples
}

/** Of three harmonics, so that nobody takes it for a tone; the pitch is the word's own. */
function hum(word: string, rate: number): Int16Array {
  const pitch = 120 + (hashOf(word) % 100)
  const ms = MS_PER_LETTER * (word.length + 1)
  const harmonics = [1, 2, 3].map(n => tone(n * pitch, ms, WORD_DB - 3 * n, rate))
  return harmonics[0]!.map((sample, i) => sample + harmonics[1]![i]! + harmonics[2]![i]!)
}

function hashOf(word: string): number {
  let hash = 0
  for (let i = 0; i < word.length; i++) hash = (hash * 31 + word.charCodeAt(i)) >>> 0
  return hash
}

function bytesOf(samples: Int16Array, { encoding }: AudioFormat): Uint8Array {
  if (encoding === 'pcm16') return new Uint8Array(samples.buffer)
  const bytes = new Uint8Array(samples.length)
  encode(encoding, samples, bytes)
  return bytes
}
