import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { runCommand } from '../../debian/command.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { readWav, type Sound } from '../../media/wav.ts'
import { ownFolder } from './own-folder.ts'

export interface FliteOptions {
  readonly clock: Clock
  /** One of flite's: slt, rms, awb, kal16. */
  readonly voice: string
  readonly signal?: AbortSignal
}

/**
 * Speaks a text. By files, in a folder that is its owner's alone: what is on a command line every user of the machine can
 * read, and flite cannot write several sentences into a pipe.
 */
export async function fliteSpeech(command: readonly string[], text: string, options: FliteOptions): Promise<Sound> {
  const folder = await ownFolder('speech')
  const [words, wav] = [join(folder, 'words.txt'), join(folder, 'speech.wav')]
  try {
    await writeFile(words, `${text}\n`)
    const result = await runCommand([...command, '-voice', options.voice, '-f', words, '-o', wav], {
      ...options,
      timeoutMs: limits.local.speakMs,
    })
    options.signal?.throwIfAborted()
    if (result.code !== 0) throw silent(result.stderr)
    return await readFile(wav)
      .then(readWav)
      .catch(() => Promise.reject(silent(result.stderr)))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function silent(said: string): GatewayError {
  // Its own words may hold the text.
  const missing = /ENOENT|cannot open/.test(said)
    ? ': it is not there any more; restart Parley to have it fetched again'
    : ''
  return new GatewayError('ENGINE_FAILED', `The speech program flite made no sound${missing}.`)
}
