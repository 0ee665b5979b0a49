import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asError, GatewayError } from '../errors.ts'
import { Resampler } from '../media/resample.ts'
import { readWav, type Sound, writeWav } from '../media/wav.ts'

/** As whoever writes it down wants it: a WAV file of one side, 8 kHz, 16 bits. */
export interface PlainSound {
  readonly wav: Uint8Array
  readonly seconds: number
}

const RATE = 8_000

/** What a caller has left, in whichever form it stands there. */
export async function plainSound(directory: string, recording: string): Promise<PlainSound> {
  if (!/^[\w.-]{1,200}$/.test(recording) || recording.startsWith('.')) throw gone('has a name that cannot be a file')
  const bytes = await readFile(join(directory, `${recording}.wav`)).catch(error => {
    if (error.code === 'ENOENT') throw gone('is not there any more')
    throw error
  })
  const samples = at8kHz(soundIn(bytes))
  return { wav: writeWav([samples], RATE), seconds: Math.round(samples.length / RATE) }
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
