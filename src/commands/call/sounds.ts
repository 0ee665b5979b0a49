import { readFile, stat } from 'node:fs/promises'
import { asError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { Resampler } from '../../media/resample.ts'
import { lacksOf, readWav, type Sound } from '../../media/wav.ts'
import type { CallerTurn } from './conversation.ts'
import { audiblePart } from './ear.ts'
import type { Asked } from './options.ts'

const RATE = 8_000
const MOST_SECONDS = limits.media.unplayedMs / 1_000

/** Makes a sentence a sound. */
export type Speak = (words: string) => Promise<Sound>

/** What the caller is asked to do, with every sound at hand, so that nothing has to be made or read during the call. */
export async function turnsOf(
  asked: readonly Asked[],
  openSpeech: () => Promise<Speak>,
  warn: (words: string) => void,
): Promise<CallerTurn[]> {
  const speak = asked.some(each => each.kind === 'sentence') ? await openSpeech() : undefined
  const turns: CallerTurn[] = []
  // One after the other: one speech program at a time is enough.
  for (const each of asked) {
    if (each.kind === 'keys') {
      turns.push({ kind: 'press', digits: each.digits })
      continue
    }
    const words = each.kind === 'file' ? each.path : each.words
    const samples = each.kind === 'file' ? await readSound(words, warn) : await spoken(words, speak!)
    turns.push({ kind: 'say', words, samples, interrupting: each.interrupting })
  }
  return turns
}

async function spoken(words: string, speak: Speak): Promise<Int16Array> {
  const samples = atLineRate(await speak(words))
  if (!audiblePart(samples)) throw new Error(`Nothing can be heard of "${words}" when it is spoken. Use letters.`)
  if (isTooLong(samples))
    throw new Error(`"${words}" takes longer than ${MOST_SECONDS} seconds to say. Say it in parts.`)
  return samples
}

async function readSound(path: string, warn: (words: string) => void): Promise<Int16Array> {
  try {
    const { size } = await stat(path)
    if (size > limits.caller.wavBytes) throw new Error('is too large')
    const file = await readFile(path)
    const samples = atLineRate(readWav(file))
    if (isTooLong(samples)) throw new Error(`is longer than ${MOST_SECONDS} seconds`)
    if (!audiblePart(samples)) throw new Error('holds nothing but silence')
    const lacks = lacksOf(file)
    if (lacks !== undefined) {
      warn(`${path} is cut off: ${lacks.hasMs} of ${lacks.saysMs} ms are there, and those are played.`)
    }
    return samples
  } catch (error) {
    throw new Error(whyUnread(path, asError(error)), { cause: error })
  }
}

function isTooLong(samples: Int16Array): boolean {
  return samples.length > MOST_SECONDS * RATE
}

function whyUnread(path: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `There is no file ${path}.`
  if (error.code === 'EISDIR') return `${path} is a folder.`
  return error.code === undefined ? `${path} ${error.message}.` : `${path} cannot be read (${error.code}).`
}

/** Brought to a telephone's 8 kHz, with its first sample where it was. */
export function atLineRate({ rate, samples }: Sound): Int16Array {
  if (rate === RATE) return samples
  const resampler = new Resampler(rate, RATE)
  const late = Math.round((resampler.delayMs * RATE) / 1_000)
  // Lent until the next call, so copied.
  const parts = [Int16Array.from(resampler.process(samples)), resampler.flush()]
  const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  all.set(parts[0]!)
  all.set(parts[1]!, parts[0]!.length)
  return all.subarray(late, late + Math.round((samples.length * RATE) / rate))
}
