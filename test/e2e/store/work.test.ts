import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import { auHeader } from '../../../src/recording/au.ts'
import { listJobs } from '../../../src/store/jobs.ts'
import { seedDatabase } from '../../support/database.ts'
import { HookServer } from '../../support/hook-server.ts'
import { MailServer } from '../../support/mail-server.ts'
import { OpenAiHttpServer } from '../../support/openai-http.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { spawnTied } from '../../support/tied.ts'
import { TwilioServer } from '../../support/twilio-server.ts'
import { until } from '../../support/until.ts'
import { type Place, wave } from './desk-node.ts'
import type { Life } from './worker.ts'
import { hookSecret, type Outside, type Point, points, workingNode, works } from './working-node.ts'

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-work-'))
  await seedDatabase(join(folder, 'seed'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** A message that was left just now is not made small yet. */
const atMs = Date.now()
const oldMs = Date.UTC(2026, 0, 5, 9)
const customer = '+15550100177'
const numbers = { callerNumber: customer, calledNumber: '+15550100200', parameters: {} }
const happened = (call: string, ...facts: CallFact[]): CallEvent[] =>
  facts.map(fact => ({ call, business: 'dentist', atMs, fact }))
/** One is told of and written down, the other summarized and answered; one sound is made small, the other is too old. */
const told: CallEvent[] = [
  ...happened('CA1', { name: 'voicemailLeft', seconds: 1, private: { recording: 'RE1', callerNumber: customer } }),
  ...happened(
    'CA2',
    { name: 'announced', verdict: 'record', private: numbers },
    { name: 'transcribed', recording: 'RE2', by: 'provider', private: { text: 'When are you open?' } },
  ),
  ...recorded('dentist', 'REnew', 'callEnded'),
  ...recorded('shop', 'REold', 'transferred'),
]
const short = { who: '', why: 'opening hours', outcome: '', followUp: '', urgency: 'none' }
const reply = { intent: 'opening hours', data: [], reply: 'From nine.' }

function recorded(business: string, recording: string, why: 'callEnded' | 'transferred'): CallEvent[] {
  const facts: CallFact[] = [
    { name: 'recordingBegan', recording },
    { name: 'recordingEnded', recording, seconds: 1, why, shedFrames: 0 },
  ]
  return facts.map(fact => ({ call: `of ${recording}`, business, atMs: oldMs, fact }))
}

type World = Awaited<ReturnType<typeof openWorld>>

/** Whoever hears of it, and counts. */
async function openWorld() {
  const stack = new AsyncDisposableStack()
  const openai = stack.use(await OpenAiHttpServer.start())
  const twilio = stack.use(await TwilioServer.start())
  const mail = stack.use(await MailServer.start())
  const hook = stack.use(await HookServer.start(hookSecret, () => Math.floor(Date.now() / 1_000)))
  openai.says = ({ text }) =>
    JSON.stringify(text?.format?.type === 'json_schema' && text.format.name === 'answer' ? reply : short)
  /** Of what the owner was told. */
  const keys: string[] = []
  const owner = createServer((request, response) => {
    keys.push(String(request.headers['idempotency-key']))
    request.resume().once('end', () => response.writeHead(204).end())
  })
  owner.listen(0, '127.0.0.1')
  await once(owner, 'listening')
  stack.defer(() => {
    owner.close()
    owner.closeAllConnections()
  })
  const { port } = owner.address() as AddressInfo
  const outside: Outside = {
    ...{ openai: openai.url, twilio: twilio.url, hook: hook.url },
    ...{ owner: `http://127.0.0.1:${port}`, mail: `smtp://127.0.0.1:${mail.port}` },
  }
  return {
    ...{ openai, twilio, mail, hook, keys, outside },
    texts() {
      const sent = twilio.asked.filter(({ endpoint }) => endpoint === 'POST /Messages')
      return sent.map(({ parameters }) => [parameters.get('To'), parameters.get('Body')]).sort()
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function placeOn(kind: 'embedded' | 'server'): Promise<Place> {
  const state = await mkdtemp(join(folder, 'node-'))
  await mkdir(join(state, 'voicemail'))
  await mkdir(join(state, 'recordings'))
  await writeFile(join(state, 'voicemail/RE1.wav'), wave())
  for (const id of ['REnew', 'REold']) {
    const note = { id, call: `of ${id}`, business: 'dentist', beganAtMs: atMs }
    const sound = Buffer.concat([auHeader({ law: 'ulaw', channels: 2 }, note), Buffer.alloc(16_000, 0xff)])
    await writeFile(join(state, `recordings/${id}.au`), sound)
  }
  if (kind === 'server') return { state, folder: '', url: await server.database() }
  await seedDatabase(join(state, 'database'))
  return { state, folder: join(state, 'database'), url: undefined }
}

/** Until each job has come to this point. */
async function killedAt(point: Point, place: Place, world: World): Promise<void> {
  const life: Life = { place, outside: world.outside, point, told: point === 'claimed' ? told : [] }
  const command = [join(import.meta.dirname, 'worker.ts'), JSON.stringify(life)]
  const env = { PATH: process.env['PATH'] }
  const program = spawnTied(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'], env })
  const reached = new Set<string>()
  for await (const line of createInterface({ input: program.stdout! })) {
    reached.add(line)
    if (reached.size === works.length) break
  }
  // What was handed over is on its way.
  if (point !== 'claimed') await until(() => world.texts().length === 2)
  const ended = once(program, 'close')
  program.kill('SIGKILL')
  await ended
  expect([...reached].sort()).toEqual(works)
}

describe.each(['embedded', 'server'] as const)('a gateway on the %s database that is killed at its jobs', kind => {
  it('once they are claimed, once their effect is there, and once that is known: each is done, and none twice', async () => {
    await using world = await openWorld()
    const place = await placeOn(kind)
    for (const point of points) await killedAt(point, place, world)
    const node = await workingNode(place, world.outside)
    await node.caughtUp()
    node.working.watch()
    await node.whenOver(12)
    await node.caughtUp()
    const listed = (state: 'done' | 'failed') =>
      node.store.ask(db => listJobs(db, 'all', { state }, { after: undefined, count: 99 }))
    expect(await listed('done')).toHaveLength(11)
    // Nobody knows whether that mail had arrived when whoever sent it was killed.
    expect((await listed('failed')).map(({ key }) => key)).toEqual(['CA1 voicemail mail RE1'])
    const rows = await node.store.ask(async db => ({
      transcripts: await db.selectFrom('transcripts').select(['recording', 'text']).orderBy('recording').execute(),
      summaries: await db.selectFrom('summaries').select('call').orderBy('call').execute(),
      notices: await db.selectFrom('notices').select(['call', 'by', 'ok']).orderBy('by').execute(),
      deliveries: await db.selectFrom('deliveries').select(['call', 'last_status']).execute(),
    }))
    expect(rows).toEqual({
      transcripts: [
        { recording: 'RE1', text: 'Please call me back.' },
        { recording: 'RE2', text: 'When are you open?' },
      ],
      summaries: [{ call: 'CA1' }, { call: 'CA2' }],
      notices: [
        { call: 'CA1', by: 'mail', ok: false },
        { call: 'CA1', by: 'text', ok: true },
        { call: 'CA1', by: 'webhook', ok: true },
      ],
      deliveries: [{ call: 'CA1', last_status: 204 }],
    })
    expect(await readdir(join(place.state, 'recordings'))).toEqual(['REnew.opus'])
    // Whoever counts keys counts once; whoever cannot is told once.
    expect(new Set(world.keys)).toEqual(new Set(['CA1-notice-voicemail-RE1']))
    expect(new Set(world.hook.taken.map(({ id }) => id)).size).toBe(1)
    expect(world.mail.mails.map(({ to }) => to)).toEqual([['owner@example.com']])
    expect(world.texts()).toEqual([
      [customer, 'From nine.'],
      ['+15550100300', expect.stringContaining('voicemail of 1 seconds')],
    ])
    expect([world.openai.problems, world.twilio.problems, world.hook.forged]).toEqual([[], [], []])
    await node.close()
  }, 180_000)
})
