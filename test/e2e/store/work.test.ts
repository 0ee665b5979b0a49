import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import { listJobs } from '../../../src/store/jobs.ts'
import { seedDatabase } from '../../support/database.ts'
import { OpenAiHttpServer } from '../../support/openai-http.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { spawnTied } from '../../support/tied.ts'
import { TwilioServer } from '../../support/twilio-server.ts'
import { until } from '../../support/until.ts'
import { type Place, wave } from './desk-node.ts'
import { type Point, points, workingNode } from './working-node.ts'

let folder = ''
let server: PostgresServer
let openai: OpenAiHttpServer
let twilio: TwilioServer
/** Of a business: what it was told, by key. */
const keys: string[] = []
const owner = createServer((request, response) => {
  keys.push(String(request.headers['idempotency-key']))
  request.resume().once('end', () => response.writeHead(204).end())
})
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-work-'))
  owner.listen(0, '127.0.0.1')
  await once(owner, 'listening')
  ;[server, openai] = await Promise.all([PostgresServer.start(), OpenAiHttpServer.start()])
})
beforeEach(async () => {
  keys.length = 0
  twilio = await TwilioServer.start()
  return () => twilio[Symbol.asyncDispose]()
})
afterAll(async () => {
  owner.close()
  owner.closeAllConnections()
  await Promise.all([server[Symbol.asyncDispose](), openai[Symbol.asyncDispose]()])
  await rm(folder, { recursive: true, force: true })
})

const atMs = Date.UTC(2026, 0, 5, 9)
const customer = '+15550100177'
const numbers = { callerNumber: customer, calledNumber: '+15550100200', parameters: {} }
const happened = (call: string, ...facts: CallFact[]): CallEvent[] =>
  facts.map(fact => ({ call, business: 'dentist', atMs, fact }))
/** One is told of and written down, the other summarized and answered. */
const told: CallEvent[] = [
  ...happened('CA1', { name: 'voicemailLeft', seconds: 1, private: { recording: 'RE1', callerNumber: customer } }),
  ...happened(
    'CA2',
    { name: 'announced', verdict: 'record', private: numbers },
    { name: 'transcribed', recording: 'RE2', by: 'provider', private: { text: 'When are you open?' } },
  ),
]
const kinds = ['answer', 'notify', 'summarize', 'transcribe']
const short = { who: '', why: 'opening hours', outcome: '', followUp: '', urgency: 'none' }
const reply = { intent: 'opening hours', data: [], reply: 'From nine.' }

describe.each(['server'] as const)('a gateway that is killed at its jobs, on the %s database', kind => {
  async function place(): Promise<Place> {
    const state = await mkdtemp(join(folder, 'node-'))
    await mkdir(join(state, 'voicemail'))
    await writeFile(join(state, 'voicemail/RE1.wav'), wave())
    if (kind === 'server') return { state, folder: '', url: await server.database() }
    await seedDatabase(join(state, 'database'))
    return { state, folder: join(state, 'database'), url: undefined }
  }

  /** Until each kind has come to this point. */
  async function killedAt(point: Point, here: Place, outside: Record<'openai' | 'owner' | 'twilio', string>) {
    const parts = [here.state, here.folder, here.url ?? '', outside.openai, outside.owner, outside.twilio, point]
    const program = spawnTied(
      process.execPath,
      [join(import.meta.dirname, 'worker.ts'), ...[...parts, JSON.stringify(told)]],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } },
    )
    const reached = new Set<string>()
    for await (const line of createInterface({ input: program.stdout! })) {
      reached.add(line)
      if (reached.size === kinds.length) break
    }
    // What was handed over is on its way.
    if (point !== 'claimed') await until(() => sentTexts().length === 1)
    const ended = once(program, 'close')
    program.kill('SIGKILL')
    await ended
    expect([...reached].sort()).toEqual(kinds)
  }

  const sentTexts = () =>
    twilio.asked
      .filter(({ endpoint }) => endpoint === 'POST /Messages')
      .map(({ parameters }) => [parameters.get('To'), parameters.get('Body')])

  it.each(points)('%s: each is done, and nothing reaches anybody twice', async point => {
    openai.says = asked =>
      JSON.stringify(asked.text?.format?.type === 'json_schema' && asked.text.format.name === 'answer' ? reply : short)
    const here = await place()
    const address = owner.address() as AddressInfo
    const outside = { openai: openai.url, owner: `http://127.0.0.1:${address.port}`, twilio: twilio.url }
    await killedAt(point, here, outside)
    const node = await workingNode(here, outside)
    await node.caughtUp()
    // As a server finds out when it has taken too long; what is embedded knows it at once.
    await node.store.ask(db =>
      sql`update jobs.job set state = 'retry', start_after = now() where state = 'active'`.execute(db),
    )
    node.working.watch()
    const listed = (state: 'done' | 'failed') =>
      node.store.ask(db => listJobs(db, 'all', { state }, { after: undefined, count: 99 }))
    const wanted = 6
    await node.whenDone(wanted)
    expect(await listed('done')).toHaveLength(wanted)
    await node.caughtUp()
    const rows = await node.store.ask(async db => ({
      transcripts: await db.selectFrom('transcripts').select(['recording', 'text']).orderBy('recording').execute(),
      summaries: await db.selectFrom('summaries').select('call').orderBy('call').execute(),
      notices: await db.selectFrom('notices').select(['call', 'ok']).execute(),
      events: await db
        .selectFrom('call_events')
        .select('name')
        .where('name', 'in', ['transcribed', 'summarized', 'callerAnswered', 'noticeSent'])
        .orderBy('name')
        .execute(),
    }))
    expect(rows).toEqual({
      transcripts: [
        { recording: 'RE1', text: 'Please call me back.' },
        { recording: 'RE2', text: 'When are you open?' },
      ],
      summaries: [{ call: 'CA1' }, { call: 'CA2' }],
      notices: [{ call: 'CA1', ok: true }],
      events: ['callerAnswered', 'noticeSent', 'summarized', 'summarized', 'transcribed', 'transcribed'].map(name => ({
        name,
      })),
    })
    expect(await listed('failed')).toEqual([])
    expect(new Set(keys)).toEqual(new Set(['CA1-notice-voicemail']))
    expect(sentTexts()).toEqual([[customer, 'From nine.']])
    expect([openai.problems, twilio.problems]).toEqual([[], []])
    await node.close()
  })
})
