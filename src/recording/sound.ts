import { readFile } from 'node:fs/promises'
import { asError, GatewayError } from '../errors.ts'
import { Resampler } from '../media/resample.ts'
import { readWav, type Sound, writeWav } from '../media/wav.ts'
import { convertedSound, type SoundFolders, writtenSound } from './sound-files.ts'
import { openSource } from './sound-source.ts'

/** As whoever writes it down wants it: a WAV file of one side, 8 kHz, 16 bits. */
export interface PlainSound {
  readonly wav: Uint8Array
  readonly seconds: number
}

const RATE = 8_000

/** What a caller has left, in whichever form it was written. */
export async function plainSound(folders: SoundFolders, recording: string): Promise<PlainSound> {
  const source = (await writtenSound(folders, recording))?.source ?? (await convertedSound(folders, recording))
  if (source === undefined) throw gone('is not there any more')
  const samples = source.endsWith('.wav') ? at8kHz(soundIn(await readFile(source))) : await writtenHere(source)
  return { wav: writeWav([samples], RATE), seconds: Math.round(samples.length / RATE) }
}

async function writtenHere(path: string): Promise<Int16Array> {
  const { channels, pieces } = await openSource(path)
  if (channels !== 1) throw gone('is of two sides')
  const copies: Int16Array[] = []
  for await (const piece of pieces) copies.push(piece.slice())
  const samples = new Int16Array(copies.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const copy of copies) {
    samples.set(copy, at)
    at += copy.length
  }
  return samples
}

function soundIn(bytes: Uint8Array): Sound {
  try {
    return readWav(bytes)
  } catch (error) {
    const { message } = asError(error)
    if (message.endsWith('without a sound in it')) return { rate: RATE, samples: new Int16Array(0) }
    throw gone(message)
  }
}

function at8kHz({ rate, samples }: Sound): Int16Array {
  return rate === RATE ? samples : new Resampler(rate, RATE).process(samples).slice()
}

function gone(what: string): GatewayError {
  return new GatewayError('TOOL_FAILED', `The file of the recording ${what}.`)
}
