import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import { deleting, type HousedSound, type KeptSound } from '../../../src/desk/deleting.ts'
import { clean } from '../../../src/desk/jobs/clean.ts'
import { deletionOf } from '../../../src/desk/wanted.ts'
import { NotYet, OfAnother } from '../../../src/desk/working.ts'
import { soundFolders } from '../../../src/recording/sound-files.ts'
import type { ClaimedJob } from '../../../src/store/jobs.ts'
import { businessWith } from '../../support/hooked.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const dayMs = 24 * 3_600_000
const never = new AbortController().signal
const job = {
  kind: 'clean',
  id: 'j1',
  key: 'day',
  business: '',
  subject: { day: 'day', at: 'here' },
  attempts: 1,
} as const

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
  const rows: (HousedSound & { readonly atMs: number })[] = []
  const goneWhenTold: boolean[] = []
  let home: string | null = 'here'
  let recordIsAway = false
  const dropped: string[] = []
  let busyWith = ''
  let othersDeleted = false
  const isThere = (name: string) => Object.values(folders).some(folder => readdirSync(folder).join().includes(name))
  const deleteSound = deleting({
    ...{ folders, clock },
    // As the record does when it has taken the event.
    async kept() {
      if (!recordIsAway) rows.splice(0, rows.length, ...rows.filter(({ name }) => !isTold(name)))
    },
    tell(event) {
      told.push(event)
      goneWhenTold.push(!isThere((event.fact as { recording: string }).recording))
    },
  })
  const isTold = (name: string) => told.some(({ fact }) => (fact as { recording: string }).recording === name)
  const cleaning = clean({
    ...{ clock, deleteSound, home: 'here', businesses: () => [businessWith()] },
    words: {
      isElsewhere: async recording => recording === 'theirs',
      areInUse: async recording => recording === busyWith,
      async drop(recording) {
        dropped.push(recording)
        return recording !== 'unwritten'
      },
      dropWritten: async () => void dropped.push('journal'),
      wentElsewhere: async () => othersDeleted,
    },
    due: async (kind, business, before) =>
      rows.filter(
        row =>
          row.kind === kind && row.business === business && row.atMs < before.getTime() && row.home !== 'elsewhere',
      ),
    isDeleted: async ({ name }) => isTold(name),
    isHere: async ({ name }) => isThere(name),
  })
  const keep = (kind: KeptSound['kind'], name: string, daysOld: number, ...forms: readonly string[]) => {
    const folder = kind === 'recording' ? folders.recordings : folders.voicemail
    for (const form of forms) writeFileSync(join(folder, `${name}${form}`), 'sound')
    rows.push({ kind, name, call: 'c1', business: 'dentist', home, atMs: clock.wallMs() - daysOld * dayMs })
  }
  return {
    ...{
      clean: (one: ClaimedJob = job) => cleaning(one, never),
      deleteSound,
      keep,
      told,
      goneWhenTold,
      folders,
      rows,
      dropped,
    },
    wordsOf: (recording: string) =>
      cleaning({ ...job, id: 'j3', business: 'dentist', subject: { call: 'c1', words: recording } }, never),
    isBusyWith: (recording: string) => {
      busyWith = recording
    },
    othersDelete: () => {
      othersDeleted = true
    },
    comesFrom: (where: string | null) => {
      home = where
    },
    recordGoesAway: () => {
      recordIsAway = true
    },
  }
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

it('leaves what is on the disk of another gateway to that one, and never tells it gone', async () => {
  const { keep, told, folders, ...here } = house()
  await expect(here.clean({ ...job, subject: { day: 'day', at: 'elsewhere' } })).rejects.toBeInstanceOf(OfAnother)
  here.comesFrom('elsewhere')
  keep('recording', 'theirs', 91)
  // From before it was kept whose it is.
  here.comesFrom(null)
  keep('recording', 'ours', 91, '.opus')
  keep('recording', 'unknown', 91)
  await here.clean()
  expect(told.map(({ fact }) => fact)).toEqual([{ name: 'recordingDeleted', recording: 'ours', by: 'age' }])
  const asked = (home: string | null) => {
    const wanted = deletionOf({ kind: 'recording', name: 'theirs', call: 'c1', business: 'dentist', home }, 'operator')
    return here.clean({ ...wanted, id: 'j2', attempts: 1 })
  }
  await expect(asked('elsewhere')).rejects.toBeInstanceOf(OfAnother)
  await expect(asked(null)).rejects.toBeInstanceOf(OfAnother)
  await asked('here')
  await asked('here')
  expect(told.at(-1)?.fact).toEqual({ name: 'recordingDeleted', recording: 'theirs', by: 'operator' })
  expect(told).toHaveLength(2)
})

it('tells once what two want to be gone at the same time', async () => {
  const { keep, deleteSound, told } = house()
  keep('voicemail', 'message', 1, '.wav')
  const sound = { kind: 'voicemail', name: 'message', call: 'c1', business: 'dentist' } as const
  await Promise.all([deleteSound(sound, 'operator'), deleteSound(sound, 'business')])
  expect(told.map(({ fact }) => fact)).toEqual([{ name: 'voicemailDeleted', recording: 'message', by: 'operator' }])
})

it('ends when the record does not follow', async () => {
  const { keep, told, ...here } = house()
  keep('recording', 'old', 91, '.opus')
  here.recordGoesAway()
  await here.clean()
  expect(told).toHaveLength(1)
})

it('takes what was written down of it from record and journal, when nobody makes anything of it any more', async () => {
  const { wordsOf, dropped, ...here } = house()
  here.isBusyWith('message')
  await expect(wordsOf('message')).rejects.toBeInstanceOf(NotYet)
  await expect(wordsOf('theirs')).rejects.toBeInstanceOf(OfAnother)
  expect(dropped).toEqual([])
  here.isBusyWith('')
  await wordsOf('message')
  await wordsOf('unwritten')
  expect(dropped).toEqual(['message', 'journal', 'unwritten'])
  await here.clean()
  expect(dropped).toHaveLength(3)
  // What was made of them here is in the journal here.
  here.othersDelete()
  await here.clean()
  expect(dropped.slice(3)).toEqual(['journal'])
})
