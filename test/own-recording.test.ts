import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLog } from '../src/log.ts'
import { lookForRecordings, tellFoundRecordings } from '../src/own-recording.ts'
import { auHeader, silentBytes } from '../src/recording/au.ts'
import { Scope } from '../src/scope.ts'
import type { Store } from '../src/store/store.ts'
import { answerAndWait, house } from './call/house.ts'
import { FakeLeg } from './support/fake-leg.ts'
import { until } from './support/until.ts'

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
const telephony = { talking: (_: string): Promise<void> | undefined => undefined }

it('a recording of a call of this life is told by the call, whichever of its names the record knows', async () => {
  const { exchange, offer, events, clock } = house(answerAndWait, { judge: () => ({ kind: 'partOf', record: 'CA1' }) })
  const leg = await offer(new FakeLeg('c1'))
  await tellFoundRecordings({ state: { path }, store: store(), exchange, telephony, log })
  const ends = () => events.filter(({ fact }) => fact.name === 'recordingEnded')
  expect(ends()).toEqual([])
  leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
  await clock.settle()
  await tellFoundRecordings({ state: { path }, store: store(), exchange, telephony, log })
  expect(ends()).toEqual([])
})

it('what an earlier life has recorded is not told while the database is away, and whoever asks hears so', async () => {
  const { exchange, events } = house(answerAndWait)
  const parts = { state: { path }, exchange, telephony, log }
  await expect(tellFoundRecordings({ ...parts, store: store(true) })).rejects.toMatchObject({ code: 'STORE_AWAY' })
  expect(events).toEqual([])
  await tellFoundRecordings({ ...parts, store: store() })
  expect(events).toMatchObject([
    { call: 'CA1', fact: { name: 'recordingEnded', recording: id, seconds: 2, why: 'cut' } },
  ])
})

it('of callers who talk with somebody else it is told once that is over, and of one who has come back by their call', async () => {
  const note = { id: 'b'.repeat(22), call: 'c2', business: 'praxis', beganAtMs: 0 }
  const sound = Buffer.concat([auHeader(form, note), silentBytes(form, 1_000)])
  writeFileSync(join(path, 'recordings', `${note.id}.au`), sound)
  const { exchange, offer, events } = house(answerAndWait)
  const talks = new Map(['c1', 'c2'].map(call => [call, Promise.withResolvers<void>()]))
  const looks: string[] = []
  const looked: typeof telephony = {
    talking(call) {
      looks.push(call)
      return talks.get(call)?.promise
    },
  }
  const over = (call: string) => {
    talks.get(call)!.resolve()
    talks.delete(call)
  }
  const scope = new Scope('test', error => expect(error).toBeUndefined())
  lookForRecordings({ state: { path }, store: store(), exchange, telephony: looked, log }, scope)
  await until(() => looks.length === 2)
  await offer(new FakeLeg('c2'))
  over('c2')
  await until(() => looks.length === 4)
  expect(events.filter(({ fact }) => fact.name === 'recordingEnded')).toEqual([])
  over('c1')
  await until(() => events.some(({ fact }) => fact.name === 'recordingEnded'))
  expect(events.filter(({ fact }) => fact.name === 'recordingEnded')).toMatchObject([
    { call: 'CA1', fact: { recording: id, seconds: 2, why: 'cut' } },
  ])
  await scope.close()
})
