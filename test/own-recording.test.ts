import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLog } from '../src/log.ts'
import { tellFoundRecordings } from '../src/own-recording.ts'
import { auHeader, silentBytes } from '../src/recording/au.ts'
import type { Store } from '../src/store/store.ts'
import { answerAndWait, house } from './call/house.ts'
import { FakeLeg } from './support/fake-leg.ts'

const id = 'a'.repeat(22)
const form = { law: 'ulaw', channels: 2 } as const

let path = ''
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'parley-own-recording-'))
  mkdirSync(join(path, 'recordings'))
  const note = { id, call: 'c1', business: 'praxis', beganAtMs: 0 }
  writeFileSync(join(path, 'recordings', `${id}.au`), Buffer.concat([auHeader(form, note), silentBytes(form, 2_000)]))
})
afterEach(() => rmSync(path, { recursive: true }))

/** As the record has it: under the name of the call, of which the channel is a part. */
const row = { id, call: 'CA1', business: 'praxis', ended_why: null, converted_at: null }

function store(failing = false) {
  return { caughtUp: async () => {}, failing, ask: async () => [row] } as unknown as Pick<
    Store,
    'caughtUp' | 'failing' | 'ask'
  >
}

const log = createLog('silent')

it('a recording of a call of this life is told by the call, whichever of its names the record knows', async () => {
  const { exchange, offer, events, clock } = house(answerAndWait, { judge: () => ({ kind: 'partOf', record: 'CA1' }) })
  const leg = await offer(new FakeLeg('c1'))
  await tellFoundRecordings({ state: { path }, store: store(), exchange, log })
  const ends = () => events.filter(({ fact }) => fact.name === 'recordingEnded')
  expect(ends()).toEqual([])
  leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
  await clock.settle()
  await tellFoundRecordings({ state: { path }, store: store(), exchange, log })
  expect(ends()).toEqual([])
})

it('what an earlier life has recorded is not told while the database is away, and whoever asks hears so', async () => {
  const { exchange, events } = house(answerAndWait)
  const parts = { state: { path }, exchange, log }
  await expect(tellFoundRecordings({ ...parts, store: store(true) })).rejects.toMatchObject({ code: 'STORE_AWAY' })
  expect(events).toEqual([])
  await tellFoundRecordings({ ...parts, store: store() })
  expect(events).toMatchObject([
    { call: 'CA1', fact: { name: 'recordingEnded', recording: id, seconds: 2, why: 'cut' } },
  ])
})
