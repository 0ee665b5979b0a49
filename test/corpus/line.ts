import { FRAME_SAMPLES, SILENCE } from '../../src/media/audio.ts'
import { Concealer } from '../../src/media/conceal.ts'
import { decode, encode } from '../../src/media/g711.ts'
import { Resampler } from '../../src/media/resample.ts'
import type { Sound } from '../../src/media/wav.ts'
import { seeded } from '../support/random.ts'

const LEVEL_DB = -22
const LOSS = 0.01
/** Of silence before and behind the words. */
const MARGIN_FRAMES = 15

/**
 * What a gateway hears of it: at the level of a telephone call, in mu-law, with one packet in a hundred lost and concealed.
 * The same for the same seed.
 */
export function throughPhone(sound: Sound, seed: number): Int16Array {
  const bytes = asMulaw(sound)
  const concealer = new Concealer('ulaw')
  const random = seeded(seed)
  const frame = new Uint8Array(FRAME_SAMPLES)
  const heard = new Uint8Array(bytes.length)
  let lost = false
  for (let at = 0; at < bytes.length; at += FRAME_SAMPLES) {
    const gone = random() < LOSS
    frame.set(bytes.subarray(at, at + FRAME_SAMPLES))
    if (gone) concealer.conceal(frame, 0, FRAME_SAMPLES)
    else if (lost) concealer.rejoin(frame, 0, FRAME_SAMPLES)
    lost = gone
    concealer.sent(frame)
    heard.set(frame, at)
  }
  const samples = new Int16Array(heard.length)
  decode('ulaw', heard, samples)
  return samples
}

/** In whole frames, with silence around it. */
function asMulaw(sound: Sound): Uint8Array {
  const samples = levelled(atTelephoneRate(sound))
  const frames = 2 * MARGIN_FRAMES + Math.ceil(samples.length / FRAME_SAMPLES)
  const bytes = new Uint8Array(frames * FRAME_SAMPLES).fill(SILENCE.ulaw)
  encode('ulaw', samples, bytes.subarray(MARGIN_FRAMES * FRAME_SAMPLES, MARGIN_FRAMES * FRAME_SAMPLES + samples.length))
  return bytes
}

function atTelephoneRate({ rate, samples }: Sound): Int16Array {
  return rate === 8_000 ? samples : new Resampler(rate, 8_000).process(samples).slice()
}

function levelled(samples: Int16Array): Int16Array {
  const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / Math.max(1, samples.length))
  const gain = (32_768 * 10 ** (LEVEL_DB / 20)) / Math.SQRT2 / Math.max(1, rms)
  return samples.map(sample => Math.max(-32_768, Math.min(32_767, Math.round(sample * gain))))
}
