import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import { deleting, type KeptSound } from '../../../src/desk/deleting.ts'
import { clean } from '../../../src/desk/jobs/clean.ts'
import { soundFolders } from '../../../src/recording/sound-files.ts'
import { businessWith } from '../../support/hooked.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const dayMs = 24 * 3_600_000
const never = new AbortController().signal
const job = { kind: 'clean', id: 'j1', key: 'day', business: '', subject: {}, attempts: 1 } as const

let state = ''
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'parley-clean-'))
  for (const folder of Object.values(soundFolders(state))) mkdirSync(folder)
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

/** Sounds of one business, as the disk and the record have them. */
function house() {
  const clock = new VirtualClock()
  const folders = soundFolders(state)
  const told: CallEvent[] = []
  const rows: (KeptSound & { readonly atMs: number })[] = []
  const goneWhenTold: boolean[] = []
  const isThere = (name: string) => Object.values(folders).some(folder => readdirSync(folder).join().includes(name))
  const deleteSound = deleting({
    ...{ folders, clock, kept: async () => {} },
    tell(event) {
      told.push(event)
      goneWhenTold.push(!isThere((event.fact as { recording: string }).recording))
    },
  })
  const cleaning = clean({
    ...{ clock, deleteSound, businesses: () => [businessWith()] },
    due: async (kind, business, before) =>
      rows.filter(row => row.kind === kind && row.business === business && row.atMs < before.getTime()),
    // As the record does when it has taken the events.
    async known() {
      for (const { fact } of told) {
        const at = rows.findIndex(({ name }) => name === (fact as { recording: string }).recording)
        if (at >= 0) rows.splice(at, 1)
      }
    },
  })
  const keep = (kind: KeptSound['kind'], name: string, daysOld: number, ...forms: readonly string[]) => {
    const folder = kind === 'recording' ? folders.recordings : folders.voicemail
    for (const form of forms) writeFileSync(join(folder, `${name}${form}`), 'sound')
    rows.push({ kind, name, call: 'c1', business: 'dentist', atMs: clock.wallMs() - daysOld * dayMs })
  }
  return { clean: () => cleaning(job, never), deleteSound, keep, told, goneWhenTold, folders }
}

it('removes what is older than the business keeps it, in every form, before it is told', async () => {
  const { keep, told, goneWhenTold, folders, ...here } = house()
  keep('recording', 'old', 91, '.opus')
  keep('recording', 'between', 91, '.au', '.opus.part')
  keep('recording', 'young', 89, '.opus')
  keep('voicemail', 'message', 366, '.wav')
  keep('voicemail', 'recent', 364, '.wav', '.opus')
  await here.clean()
  expect(readdirSync(folders.recordings)).toEqual(['young.opus'])
  expect(readdirSync(folders.voicemail).sort()).toEqual(['recent.opus', 'recent.wav'])
  expect(told.map(({ fact }) => fact)).toEqual([
    { name: 'recordingDeleted', recording: 'old', by: 'age' },
    { name: 'recordingDeleted', recording: 'between', by: 'age' },
    { name: 'voicemailDeleted', recording: 'message', by: 'age' },
  ])
  expect(goneWhenTold).toEqual([true, true, true])
  await here.clean()
  expect(told).toHaveLength(3)
})

it('tells once more what was deleted, and not told, by a life that died', async () => {
  const { keep, told, ...here } = house()
  keep('recording', 'gone', 91)
  await here.clean()
  expect(told).toMatchObject([{ call: 'c1', business: 'dentist', fact: { recording: 'gone' } }])
})

it('never leaves its folder', async () => {
  const { deleteSound, told } = house()
  writeFileSync(join(state, 'secret.au'), '')
  const outside = { kind: 'recording', name: '../secret', call: 'c1', business: 'dentist' } as const
  await expect(deleteSound(outside, 'operator')).rejects.toMatchObject({ code: 'BUG' })
  expect([existsSync(join(state, 'secret.au')), told]).toEqual([true, []])
})
