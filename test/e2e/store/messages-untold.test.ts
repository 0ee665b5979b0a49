import type { SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openJournal } from '../../../src/call/journal.ts'
import { word } from '../../../src/caller/voice.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import { encode } from '../../../src/media/g711.ts'
import { auHeader } from '../../../src/recording/au.ts'
import { listVoicemails } from '../../../src/store/voicemails.ts'
import { seedDatabase } from '../../support/database.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { seeded } from '../../support/random.ts'
import { spawnTied } from '../../support/tied.ts'
import { until } from '../../support/until.ts'
import { messageNode } from './message-node.ts'

let root = ''
let server: PostgresServer
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'parley-untold-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(root, { recursive: true, force: true })
})

/** As a gateway leaves it that was killed while it recorded, or before it could tell. */
async function leave(folder: string, recording: string, call: string, spokenMs: number): Promise<void> {
  const note = { id: recording, call, business: 'dentist', beganAtMs: 5_000, by: 'closed' as const }
  const header = auHeader({ law: 'ulaw', channels: 1 }, note)
  const samples = new Int16Array(4 * 8_000)
  samples.set(word({ f0: 130, markerHz: 1_900, ms: spokenMs, level: -20, random: seeded(1) }), 8_000)
  const sound = new Uint8Array(samples.length)
  encode('ulaw', samples, sound)
  await writeFile(join(folder, `${recording}.au`), Buffer.concat([header, sound]))
}

it.each(['embedded', 'server'] as const)(
  'a message that a killed gateway has not told is told once, though the next is killed over it: %s',
  async kind => {
    const state = join(root, kind)
    const sounds = join(state, 'voicemail')
    const folder = join(state, 'database')
    const url = kind === 'server' ? server.url : undefined
    await mkdir(sounds, { recursive: true })
    if (kind === 'embedded') await seedDatabase(folder)
    await leave(sounds, 'known', 'c0', 900)
    await leave(sounds, 'untold', 'c1', 900)
    await leave(sounds, 'short', 'c2', 500)
    await writeFile(join(sounds, 'begun.au'), '')
    const journal = await openJournal({ directory: join(state, 'journal'), clock: systemClock, trouble: () => {} })
    const hidden = { recording: 'known', callerNumber: undefined }
    const known = { name: 'voicemailLeft', seconds: 3, by: 'closed', ended: 'key', private: hidden } as const
    journal.append({ call: 'c0', business: 'dentist', atMs: 1, fact: known })
    await journal.close()

    const program = join(import.meta.dirname, 'message-finder.ts')
    const stdio: SpawnOptions['stdio'] = ['ignore', 'pipe', 'ignore']
    const child = spawnTied(process.execPath, [program, state, folder, url ?? ''], { stdio })
    await once(child.stdout!, 'data')
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone

    const next = await messageNode({ state, folder, url })
    try {
      await next.voicemail.lookForUntold()
      const rows = () => next.store.ask(db => listVoicemails(db, 'all', {}, { after: undefined, count: 10 }))
      while ((await rows()).length < 2) {
        await next.store.caughtUp()
        await pause(systemClock, 10)
      }
      await until(() => !existsSync(join(sounds, 'begun.au')))
      await next.store.caughtUp()
      expect((await rows()).sort((one, other) => one.recording.localeCompare(other.recording))).toMatchObject([
        { recording: 'known', call: 'c0', seconds: 3, ended: 'key' },
        {
          ...{ recording: 'untold', call: 'c1', business: 'dentist', seconds: 4, by: 'closed', ended: 'cut' },
          ...{ at: new Date(5_000), caller_number: '+15550100101' },
        },
      ])
      // What is no message goes.
      expect((await readdir(sounds)).sort()).toEqual(['known.au', 'untold.au'])
    } finally {
      await next.close()
    }
  },
)
