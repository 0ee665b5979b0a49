/**
 * Makes test/fixtures/words: words spoken by synthesizers, 8 kHz mu-law without a header. Committed as data; run this
 * only to change them. Needs espeak-ng, flite and sox: `node scripts/make-words.ts`.
 *
 * A word begins with its first sample within 40 dB of its peak and ends with its last one, so "250 ms after its start"
 * has a meaning. The words of held-out/ are there to be measured: nothing may be tuned on them, and most of their voices
 * occur nowhere else. Those of short/ are brisk answers of 250 to 400 ms: no goal asks
 * for them, they are measured all the same.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode } from '../src/media/g711.ts'

type Synthesizer = 'espeak' | 'flite'
/** What of the voice a line lets through: all of its 4 kHz, or what an old handset does. */
type Band = 'wide' | 'telephone'
type Word = readonly [text: string, synthesizer: Synthesizer, voice: string, band: Band]

const folder = join(import.meta.dirname, '../test/fixtures/words')
const shortestMs = 400
const shortestAnswerMs = 250
const levelDb = -20
const bands: Record<Band, string> = { wide: '60-3700', telephone: '300-3400' }

const tuning: readonly Word[] = [
  ['hello', 'flite', 'slt', 'wide'],
  ['hello', 'flite', 'rms', 'telephone'],
  ['hello', 'espeak', 'en-us', 'telephone'],
  ['stop', 'flite', 'slt', 'telephone'],
  ['stop', 'flite', 'kal', 'wide'],
  ['stop', 'espeak', 'en-us+linda', 'wide'],
  ['wait a moment', 'flite', 'rms', 'wide'],
  ['wait', 'espeak', 'en-us+f4', 'telephone'],
  ['seven', 'flite', 'kal', 'telephone'],
  ['seven', 'flite', 'slt', 'wide'],
  ['seven', 'espeak', 'en-us+m3', 'wide'],
  ['no', 'espeak', 'en-us', 'wide'],
  ['no', 'espeak', 'en-us+belinda', 'telephone'],
  ['yes please', 'flite', 'slt', 'telephone'],
  ['yes please', 'espeak', 'en-us+m3', 'telephone'],
  ['excuse me', 'flite', 'rms', 'wide'],
  ['excuse me', 'espeak', 'en-us+linda', 'telephone'],
  ['thank you', 'flite', 'slt', 'wide'],
  ['thank you', 'espeak', 'en-us', 'telephone'],
  ['six', 'flite', 'rms', 'telephone'],
  ['six', 'espeak', 'en-us+f4', 'wide'],
  ['ship', 'espeak', 'en-us+m3', 'wide'],
  ['ship', 'flite', 'slt', 'telephone'],
  ['please', 'flite', 'kal', 'wide'],
  ['five', 'flite', 'rms', 'wide'],
  ['Bianca', 'espeak', 'it+f2', 'wide'],
  ['Peter', 'flite', 'kal', 'wide'],
  ['Christine', 'espeak', 'de', 'wide'],
  ['hold on', 'flite', 'kal', 'telephone'],
  ['who is it', 'flite', 'slt', 'wide'],
  ['two', 'flite', 'rms', 'wide'],
  ['sorry', 'espeak', 'en-gb', 'telephone'],
]

const heldOut: readonly Word[] = [
  ['stop', 'flite', 'awb', 'wide'],
  ['stop', 'espeak', 'en-gb-scotland+m7', 'telephone'],
  ['thank you', 'flite', 'awb', 'telephone'],
  ['six', 'espeak', 'en-gb-x-rp+f3', 'telephone'],
  ['hello', 'espeak', 'en-us+Andy', 'wide'],
  ['no thanks', 'espeak', 'en-us+anika', 'wide'],
  ['ship', 'flite', 'awb', 'wide'],
  ['actually', 'flite', 'slt', 'telephone'],
  ['one moment', 'flite', 'rms', 'wide'],
  ['help', 'espeak', 'en-us+f5', 'wide'],
  ['operator', 'flite', 'awb', 'telephone'],
  ['Sofia', 'espeak', 'es+f5', 'wide'],
  ['Thomas', 'espeak', 'fr', 'telephone'],
  ['cancel', 'flite', 'awb', 'wide'],
  ['speak to someone', 'espeak', 'en-us+m7', 'telephone'],
  ['tomorrow', 'espeak', 'en-us+Annie', 'wide'],
]

const short: readonly Word[] = [
  ['yes', 'flite', 'slt', 'telephone'],
  ['yes', 'flite', 'rms', 'wide'],
  ['yes', 'espeak', 'en-us+m3', 'wide'],
  ['yes', 'espeak', 'en-gb+f2', 'telephone'],
  ['no', 'flite', 'slt', 'wide'],
  ['no', 'flite', 'kal', 'telephone'],
  ['no', 'espeak', 'en-us+f4', 'wide'],
  ['no', 'espeak', 'en-gb+m1', 'telephone'],
  ['yeah', 'flite', 'kal', 'wide'],
  ['yeah', 'espeak', 'en-us', 'telephone'],
  ['stop', 'flite', 'rms', 'telephone'],
  ['stop', 'espeak', 'en-us+m1', 'wide'],
  ['wait', 'flite', 'slt', 'telephone'],
  ['wait', 'espeak', 'en-us+f2', 'wide'],
  ['what', 'flite', 'rms', 'wide'],
  ['what', 'espeak', 'en-gb', 'telephone'],
]

const scratch = mkdtempSync(join(tmpdir(), 'words-'))
rmSync(folder, { recursive: true, force: true })
write(tuning, folder, shortestMs, 1)
write(heldOut, join(folder, 'held-out'), shortestMs, 1)
write(short, join(folder, 'short'), shortestAnswerMs, 1.5)
rmSync(scratch, { recursive: true })

function write(words: readonly Word[], into: string, leastMs: number, fastest: number): void {
  mkdirSync(into, { recursive: true })
  for (const word of words) {
    const [text, synthesizer, voice, band] = word
    const samples = levelled(speak(word, leastMs, fastest))
    const name = [text, synthesizer, voice, band].join('-').replaceAll(/[ +]/g, '_')
    const bytes = new Uint8Array(samples.length)
    encode('ulaw', samples, bytes)
    writeFileSync(join(into, `${name}.ulaw`), bytes)
  }
}

/** At that pace, or as much slower as makes it long enough. */
function speak(word: Word, leastMs: number, fastest: number): Int16Array {
  for (let pace = fastest; ; pace *= 0.95) {
    const samples = trimmed(synthesize(word, pace))
    if (samples.length >= leastMs * 8) return samples
  }
}

function synthesize([text, synthesizer, voice, band]: Word, pace: number): Int16Array {
  const wav = join(scratch, 'word.wav')
  const raw = join(scratch, 'word.raw')
  if (synthesizer === 'espeak') {
    execFileSync('espeak-ng', ['-v', voice, '-s', `${Math.round(160 * pace)}`, '-w', wav, text])
  } else {
    execFileSync('flite', ['-voice', voice, '--setf', `duration_stretch=${1 / pace}`, '-t', text, '-o', wav])
  }
  // No dither: the same words give the same bytes.
  execFileSync('sox', ['-D', '-G', wav, '-r', '8000', '-c', '1', '-b', '16', '-t', 's16', raw, 'sinc', bands[band]])
  const bytes = readFileSync(raw)
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
}

function trimmed(samples: Int16Array): Int16Array {
  const threshold = samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0) / 100
  const audible = (sample: number) => Math.abs(sample) >= threshold
  return samples.slice(samples.findIndex(audible), samples.findLastIndex(audible) + 1)
}

/** At the level of a sine of `levelDb` dBFS. */
function levelled(samples: Int16Array): Int16Array {
  const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length)
  const gain = (32_768 * 10 ** (levelDb / 20)) / Math.SQRT2 / rms
  return samples.map(sample => Math.max(-32_768, Math.min(32_767, Math.round(sample * gain))))
}
