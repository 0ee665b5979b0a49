import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transcriber } from '../../agent/ports.ts'
import { type Clock, pause } from '../../clock.ts'
import { runCommand } from '../../debian/command.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { readWav } from '../../media/wav.ts'
import { ownFolder } from './own-folder.ts'
import type { SpeechPrograms } from './programs.ts'
import { heardLine, recognition } from './recognizer-process.ts'
import { widened } from './widen.ts'

export interface LocalTranscriberParts {
  readonly programs: () => Promise<SpeechPrograms>
  readonly clock: Clock
  /** Callers are listened to by it at the moment. */
  readonly busy: () => boolean
}

/**
 * pocketsphinx with the language model: it understands some of clear speech, and is labelled so. At the lowest priority, one
 * process for a message, and never beside callers who need it.
 */
export function localTranscriber({ programs, clock, busy }: LocalTranscriberParts): Transcriber {
  return {
    by: 'builtIn',
    async transcribe({ wav, seconds, language }, signal) {
      if (!language.startsWith('en')) {
        throw new GatewayError(
          'ENGINE_FAILED',
          `What is built in knows English alone, and the business has ${language}.`,
        )
      }
      if (seconds === 0) return { text: '' }
      await noCallers({ clock, busy }, signal)
      const { recognizer, model } = await programs()
      const folder = await ownFolder('message')
      try {
        const pieces = pieced(readWav(wav).samples)
        const names = pieces.map((_, index) => `u${index}`)
        for (const [index, piece] of pieces.entries()) await writeRaw(join(folder, `u${index}.raw`), widened(piece))
        await writeFile(join(folder, 'names'), `${names.join('\n')}\n`, { mode: 0o600 })
        const files = ['-hmm', join(model, 'en-us'), '-ctl', join(folder, 'names'), '-cepdir', folder]
        const words = ['-dict', join(model, 'cmudict-en-us.dict'), '-lm', join(model, 'en-us.lm.bin')]
        const command = ['nice', '-n', '19', ...recognizer, ...files, ...words, ...recognition]
        const timeoutMs = limits.jobs.aliveMs.transcribe
        const { code, stderr } = await runCommand(command, { clock, timeoutMs, signal })
        signal.throwIfAborted()
        if (code !== 0)
          throw new GatewayError('ENGINE_FAILED', 'pocketsphinx did not come to an end.', { retryable: true })
        return { text: wordsIn(stderr, names) }
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

/** Who has left the message is still being thanked when it is to be written down. */
async function noCallers({ clock, busy }: Pick<LocalTranscriberParts, 'clock' | 'busy'>, signal: AbortSignal) {
  const { busyMs, busyLookMs } = limits.digest
  const until = clock.now() + busyMs
  while (busy()) {
    if (clock.now() >= until) {
      const words = 'Callers are listened to: it is written down when they have gone.'
      throw new GatewayError('ENGINE_FAILED', words, { retryable: true, waitMs: busyMs })
    }
    await pause(clock, busyLookMs, signal)
  }
}

const RATE = 8_000
const PIECE = 20 * RATE
/** Where a piece may end, before its bound: at the quietest moment. */
const SEARCHED = 5 * RATE
const MOMENT = RATE / 50

/** What is heard at once costs more the longer it is. */
export function pieced(samples: Int16Array): readonly Int16Array[] {
  const pieces: Int16Array[] = []
  let from = 0
  while (samples.length - from > PIECE) {
    const until = quietest(samples, from + PIECE - SEARCHED, from + PIECE)
    pieces.push(samples.subarray(from, until))
    from = until
  }
  return [...pieces, samples.subarray(from)]
}

function quietest(samples: Int16Array, from: number, until: number): number {
  let best = { at: until, energy: Number.POSITIVE_INFINITY }
  for (let at = from; at + MOMENT <= until; at += MOMENT) {
    let energy = 0
    for (let i = at; i < at + MOMENT; i++) energy += samples[i]! ** 2
    if (energy < best.energy) best = { at: at + MOMENT / 2, energy }
  }
  return best.at
}

async function writeRaw(path: string, { buffer, byteOffset, byteLength }: Int16Array): Promise<void> {
  await writeFile(path, new Uint8Array(buffer, byteOffset, byteLength), { mode: 0o600 })
}

function wordsIn(log: string, names: readonly string[]): string {
  const heard = new Map<string, string>()
  for (const line of log.split('\n')) {
    const [, words = '', name = ''] = heardLine.exec(line) ?? []
    if (name !== '') heard.set(name, words.replace(/\(\d+\)/g, '').trim())
  }
  return names
    .map(name => heard.get(name) ?? '')
    .filter(words => words !== '')
    .join(' ')
}
