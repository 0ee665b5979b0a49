import { execFile } from 'node:child_process'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { weekdays } from '../../../src/agent/hours.ts'
import { systemClock } from '../../../src/clock.ts'
import { fliteSpeech } from '../../../src/providers/local/flite.ts'
import { throughPhone } from '../../corpus/line.ts'
import { testSpeechPrograms } from '../../corpus/voices.ts'
import { HookServer } from '../../support/hook-server.ts'
import { House } from './house.ts'

const secret = 'a secret of this integrator'
const inThreeDays = weekdays[(new Date().getUTCDay() + 2) % 7]!
const closed = {
  ...{ name: 'Closed', voicemail: { greeting: '[tone 700 400ms]', thanks: '[tone 800 400ms]' } },
  ...{ hours: { [inThreeDays]: [{ from: '12:00', to: '12:01' }] }, telephone: { closed: { kind: 'voicemail' } } },
  digests: { transcribe: false },
}

let hook: HookServer
let house: House
beforeAll(async () => {
  hook = await HookServer.start(secret, () => Math.floor(Date.now() / 1_000))
  const environment = { TRANSCRIBER: 'auto', TOOL_CRM: secret, TOOLS_ALLOW_PRIVATE: '127.0.0.0/8' }
  house = await House.open({ environment })
  const created = () => house.post('/v1/businesses', { ...closed, hooks: [hookAt('http://10.0.0.1/')] })
  await house.until(async () => (await created()).status !== 503)
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  await hook[Symbol.asyncDispose]()
})

function hookAt(url: string) {
  return { name: 'crm', url, events: ['voicemail.transcribed'], secret: 'TOOL_CRM', private: true }
}

/** `npm run jobs -- ...`, beside the gateway. */
function jobs(...args: readonly string[]): Promise<string> {
  const root = join(import.meta.dirname, '../../..')
  const program = [join(root, 'src/commands/jobs.ts'), ...args]
  const options = { cwd: house.stateDir, env: house.environment }
  return new Promise((resolve, reject) => {
    execFile(join(root, 'node_modules/node/bin/node'), program, options, (error, stdout, stderr) =>
      error ? reject(new Error(stderr)) : resolve(stdout),
    )
  })
}

async function anyDelivery(state: 'failed' | 'done'): Promise<boolean> {
  return (await house.get<{ jobs: unknown[] }>(`/v1/jobs?kind=deliver&state=${state}`)).body.jobs.length > 0
}

interface Detail {
  readonly call: string
  readonly transcript: { readonly by: string; readonly private: { readonly text: string } } | null
}

it('a message is written down, what could not be told of it waits for a person, and what was lost is wanted again', async () => {
  const { speaker } = await testSpeechPrograms()
  const words = 'Please call me back tomorrow morning. My number is five five five one two three four. Thank you.'
  const said = await fliteSpeech(speaker, words, { clock: systemClock, voice: 'rms' })
  const call = await house.dial({ parameters: { business: 'closed' } })
  await call.hearsTone(1_000, { forMs: 340 })
  await call.play(throughPhone(said, 1))
  await call.digits('#')
  await call.ended
  const list = () => house.get<{ voicemails: { id: string }[] }>('/v1/voicemails?business=closed')
  await house.until(async () => (await list()).body.voicemails.length === 1)
  const { id } = (await list()).body.voicemails[0]!

  expect((await house.post(`/v1/voicemails/${id}/transcribe`)).status).toBe(202)
  const detail = async () => (await house.get<Detail>(`/v1/voicemails/${id}?private=true`)).body
  await house.until(async () => (await detail()).transcript !== null)
  const { call: record, transcript } = await detail()
  expect(transcript).toMatchObject({ by: 'builtIn', private: { text: expect.stringMatching(/\b(five|three|four)\b/) } })
  expect((await house.post(`/v1/voicemails/${id}/transcribe`)).status).toBe(409)
  const [word] = /\b(five|three|four)\b/.exec(transcript!.private.text)!
  const found = await house.get<{ calls: { id: string }[] }>(`/v1/calls?business=closed&text=${word}`)
  expect(found.body.calls.map(each => each.id)).toEqual([record])

  await house.until(() => anyDelivery('failed'))
  expect(await jobs('list')).toMatch(/ {2}deliver {2}closed {2}.* {2}1 attempt {2}the hook crm: its address is private/)
  expect(hook.taken).toEqual([])
  expect((await house.put('/v1/businesses/closed', { ...closed, hooks: [hookAt(hook.url)] })).status).toBe(200)
  expect(await jobs('retry', 'all')).toMatch(/ {2}deliver {2}closed {2}/)
  await house.until(async () => hook.taken.length === 1)
  await house.until(() => anyDelivery('done'))
  expect(await jobs('list')).toBe('There is none (failed).\n')

  // As where only what is exported was kept.
  const database = new pg.Client({ connectionString: house.environment['DATABASE_URL'] })
  await database.connect()
  await database.query('delete from jobs.job; delete from deliveries')
  await database.end()
  expect(await anyDelivery('done')).toBe(false)
  expect(await jobs('rebuild')).toMatch(/^\d+ event\(s\) were read once more\.\n$/)
  await house.until(() => anyDelivery('done'))
  expect([hook.taken.length, hook.doubled, hook.forged]).toEqual([2, [hook.taken[0]!.id], []])
  expect((await house.events()).filter(({ fact }) => fact.name === 'transcribed')).toHaveLength(1)

  // Somebody deletes it, and with it what it says.
  const { text } = transcript!.private
  const told = async () =>
    JSON.stringify([
      await house.get(`/v1/calls/${record}?private=true`),
      await house.get('/v1/deliveries?private=true'),
      await house.get(`/v1/calls?business=closed&text=${word}`),
    ])
  expect(await told()).toContain(text)
  expect((await house.delete(`/v1/voicemails/${id}`)).status).toBe(200)
  expect(await detail()).toMatchObject({ transcript: null, deletedAt: expect.any(String) })
  expect(await told()).not.toContain(text)
  expect((await house.get<{ calls: [] }>(`/v1/calls?business=closed&text=${word}`)).body.calls).toEqual([])
  await house.until(async () => !JSON.stringify(await house.events()).includes(text))
  expect((await house.post(`/v1/voicemails/${id}/transcribe`)).status).toBe(410)
  expect(await jobs('rebuild')).toMatch(/^\d+ event\(s\) were read once more\.\n$/)
  const { body } = await house.get<{ jobs: { state: string }[] }>('/v1/jobs')
  expect(body.jobs.filter(({ state }) => state === 'failed')).toEqual([])
  expect([await told(), (await detail()).transcript]).toEqual([expect.not.stringContaining(text), null])
  expect(hook.taken).toHaveLength(2)
}, 180_000)
