import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { runCommand } from '../../src/debian/command.ts'
import { commandIn, librariesOf } from '../../src/debian/machine.ts'
import { fetchTree, type Recipe } from '../../src/debian/tree.ts'
import { GatewayError } from '../../src/errors.ts'
import { readWav, type Sound } from '../../src/media/wav.ts'
import { fliteSpeech } from '../../src/providers/local/flite.ts'
import { obtainSpeechPrograms, type SpeechPrograms } from '../../src/providers/local/programs.ts'

/** Who calls: none of them is the agent's own voice. */
export const callerVoices = ['flite rms', 'flite kal16', 'espeak-ng en-us', 'espeak-ng en-us+f3'] as const
export type CallerVoice = (typeof callerVoices)[number]

export const speechCache = join(import.meta.dirname, '../../.parley/speech')

const options = {
  cacheDirectory: speechCache,
  environment: process.env,
  clock: systemClock,
  progress: (text: string) => console.error(`speech: ${text}`),
}

/** Fetched once a machine; later calls take milliseconds. */
export function testSpeechPrograms(): Promise<SpeechPrograms> {
  return obtainSpeechPrograms(options)
}

const espeakRecipe: Recipe = {
  name: 'espeak-ng',
  wanted: ['espeak-ng'],
  leftOut: [/^(libc-gconv-modules|libasound2-data)/],
  megabytes: 25,
  remedy: 'Only tests and bench need it.',
  code: 'PROGRAM_MISSING',
  finish: async () => {},
  isRecentEnough: () => true,
  async versionOf(root, architecture, clock) {
    const command = commandIn(root, 'usr/bin/espeak-ng', architecture)
    const result = await runCommand([...command, '--version'], { clock, timeoutMs: 10_000 })
    const version = /speech: ([\d.]+)/.exec(result.stdout)?.[1]
    if (!version) throw new GatewayError('PROGRAM_MISSING', `it does not run: ${result.stderr.trim()}`)
    return version
  },
}

export interface Callers {
  speak(text: string, voice: CallerVoice): Promise<Sound>
}

export async function openCallers(): Promise<Callers> {
  const [programs, espeak] = await Promise.all([testSpeechPrograms(), fetchTree(espeakRecipe, options)])
  const { root, architecture } = espeak
  const data = librariesOf(root, architecture)
  const command = [...commandIn(root, 'usr/bin/espeak-ng', architecture), `--path=${data}`]
  return {
    speak(text, voice) {
      const [program, name = ''] = voice.split(' ')
      if (program === 'flite') return fliteSpeech(programs.speaker, text, { clock: systemClock, voice: name })
      return espeakSpeech(command, text, name)
    },
  }
}

async function espeakSpeech(command: readonly string[], text: string, voice: string): Promise<Sound> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-espeak-'))
  try {
    const wav = join(folder, 'speech.wav')
    await runCommand([...command, '-v', voice, '-w', wav, text], { clock: systemClock, timeoutMs: 10_000 })
    return readWav(await readFile(wav))
  } finally {
    await rm(folder, { recursive: true })
  }
}
