import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { runCommand } from '../../debian/command.ts'
import type { FetchOptions } from '../../debian/tree.ts'
import { limits } from '../../limits.ts'
import { readWav, type Sound } from '../../media/wav.ts'
import { fliteSpeech } from '../../providers/local/flite.ts'
import { obtainSpeechPrograms, programOnPath } from '../../providers/local/programs.ts'
import type { Speak } from './sounds.ts'

/** None of the agent's. */
const voices = { flite: 'rms', espeak: 'en-us' } as const

/** What is installed on the machine, flite before espeak-ng; else the flite that Parley's own engine speaks with. */
export async function openSpeech(options: FetchOptions): Promise<Speak> {
  const { clock, environment } = options
  const path = environment['PATH'] ?? ''
  const [flite, espeak] = [programOnPath('flite', path), programOnPath('espeak-ng', path)]
  if (!flite && espeak) return words => espeakSpeech(espeak, words, clock)
  const command = flite ? [flite] : (await obtainSpeechPrograms(options)).speaker
  return words => fliteSpeech(command, words, { clock, voice: voices.flite })
}

/** By files, for what is on a command line every user of the machine can read. */
async function espeakSpeech(program: string, text: string, clock: Clock): Promise<Sound> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-call-'))
  const [words, wav] = [join(folder, 'words.txt'), join(folder, 'speech.wav')]
  try {
    await writeFile(words, `${text}\n`)
    const command = [program, '-v', voices.espeak, '-f', words, '-w', wav]
    const { code, stderr } = await runCommand(command, { clock, timeoutMs: limits.local.speakMs })
    if (code !== 0) throw new Error(`espeak-ng cannot speak: ${stderr.trim()}`)
    return readWav(await readFile(wav))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
