import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSpeech } from '../../../src/commands/call/speech.ts'
import { writeStereoWav } from '../../../src/media/wav.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const sound = Int16Array.from({ length: 220 }, (_, i) => 100 * i)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-speech-test-'))
  await writeFile(join(folder, 'sound.wav'), writeStereoWav(sound, sound, 22_050))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Installed beside nothing else: a program of this name that keeps what it is asked to say. */
async function installed(name: string, script: string): Promise<void> {
  const program = join(folder, name)
  await writeFile(program, `#!/bin/sh\nPATH=/usr/bin:/bin\nfor last; do :; done\nhere=${folder}\n${script}\n`)
  await chmod(program, 0o700)
}

const open = () =>
  openSpeech({
    cacheDirectory: join(folder, 'cache'),
    environment: { PATH: folder },
    clock: new VirtualClock(),
    progress: () => {},
  })

describe('the speech of the caller', () => {
  it('comes from espeak-ng where only that is installed', async () => {
    await installed('espeak-ng', 'cp "$4" $here/said; cp $here/sound.wav "$last"')
    const speak = await open()
    expect(await speak('good morning')).toEqual({ rate: 22_050, samples: sound })
  })

  it('comes from flite where both are', async () => {
    await installed('espeak-ng', 'exit 1')
    await installed('flite', 'echo "$2" > $here/voice; cp $here/sound.wav "$last"')
    const speak = await open()
    expect(await speak('good morning')).toMatchObject({ rate: 22_050 })
  })

  it('is missing in words when the program fails', async () => {
    await installed('espeak-ng', 'echo no such voice >&2; exit 1')
    const speak = await open()
    await expect(speak('good morning')).rejects.toThrow('espeak-ng cannot speak: no such voice')
  })
})
