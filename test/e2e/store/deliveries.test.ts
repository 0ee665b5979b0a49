import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallFact } from '../../../src/call/events.ts'
import type { Hook } from '../../../src/desk/hooks.ts'
import { limits } from '../../../src/limits.ts'
import { listDeliveries } from '../../../src/store/deliveries.ts'
import { seedDatabase } from '../../support/database.ts'
import { HookServer } from '../../support/hook-server.ts'
import { offered } from '../../support/hooked.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { spawnTied } from '../../support/tied.ts'
import { until } from '../../support/until.ts'
import { openDeliverer } from './deliverer.ts'

const secret = 'a secret of this integrator'
const nowSeconds = () => Math.floor(Date.now() / 1_000)
const ended: CallFact = { name: 'ended', reason: 'callerHungUp', durationMs: 1_000 }

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-deliveries-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

describe.each(['embedded', 'server'] as const)('integrators, on the %s database', kind => {
  it('hear each thing once by its id, whatever they answer, and though the gateway is killed with -9', async () => {
    const state = join(folder, kind)
    if (kind === 'embedded') await seedDatabase(join(state, 'database'))
    const url = kind === 'server' ? await server.database() : undefined
    await using hooks = await HookServer.start(secret, nowSeconds)

    // Killed when it is taken, and before that is known: nobody could tell, so it comes again under its id.
    const program = [join(import.meta.dirname, 'deliverer.ts'), state, url ?? '', hooks.url, secret]
    const env = { PATH: process.env['PATH'] }
    const child = spawnTied(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'], env })
    await once(child.stdout!, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(hooks.taken).toHaveLength(1)

    const hook: Hook = {
      ...{ name: 'crm', url: hooks.url, events: ['call.ended'], secret: 'TOOL_CRM', private: false, enabled: true },
    }
    const here = await openDeliverer({ state, url, hook, secret })
    // As if the time had passed: of the one that died, and of those that are to be tried again.
    const comeDue = async () => {
      await here.store.ask(db =>
        sql`update jobs.job set state = 'retry', start_after = now() where state in ('active', 'retry')`.execute(db),
      )
      here.working.wake(['deliver'])
    }
    // What an embedded database's only user had under way is free when it is opened.
    if (kind === 'server') await comeDue()
    await until(() => here.ended.length === 1)
    expect([hooks.taken.length, hooks.doubled]).toEqual([2, [hooks.taken[0]!.id]])

    hooks.plan(503, 'reset')
    await here.tell('refused', ended, ended)
    for (let attempt = 2; attempt <= 4; attempt++) {
      await until(() => here.ended.length === attempt)
      await comeDue()
    }
    expect(here.ended).toEqual(['done', 'again', 'again', 'done'])
    const list = () => here.store.ask(db => listDeliveries(db, 'all', {}, { after: undefined, count: 9 }))
    const [row] = await list()
    expect(row).toMatchObject({ call: 'refused', attempts: 3, last_status: 204, event: 'call.ended', hook: 'crm' })
    expect(hooks.taken.at(-1)!.body).toEqual(JSON.parse(row!.body))

    // Who is gone is not asked again.
    hooks.plan(410)
    await here.tell('gone', ended)
    await until(() => here.ended.length === 5)
    await here.tell('never', ended)
    await until(() => here.ended.length === 6)
    expect(here.ended.slice(4)).toEqual(['failed', 'failed'])
    expect((await list()).map(({ call, last_status }) => [call, last_status])).toEqual([
      ['never', null],
      ['gone', 410],
      ['refused', 204],
      ['killed', 204],
    ])
    expect([hooks.taken.length, hooks.forged, here.trouble]).toEqual([3, [], []])
    await here.close()
  })

  it('hear nothing again when what has happened is looked through once more, under the name of the record', async () => {
    const state = join(folder, `${kind}-again`)
    if (kind === 'embedded') await seedDatabase(join(state, 'database'))
    const url = kind === 'server' ? await server.database() : undefined
    await using hooks = await HookServer.start(secret, nowSeconds)
    const events: Hook['events'] = ['call.started', 'call.ended']
    const hook: Hook = { name: 'crm', url: hooks.url, events, secret: 'TOOL_CRM', private: false, enabled: true }
    const here = await openDeliverer({ state, url, hook, secret })
    const partOf = { ...offered, partOf: 'CA1' }
    await here.tell('channel', partOf, ended)
    await until(() => here.ended.length === 2)
    await here.again()
    await until(() => here.ended.length === 4)
    expect([here.ended, hooks.taken.length]).toEqual([['done', 'done', 'done', 'done'], 2])

    // What was not taken is told under the id that it has.
    hooks.plan(503)
    await here.tell('other', { ...partOf, partOf: 'CA2' })
    await until(() => here.ended.length === 5)
    await here.again()
    await until(() => here.ended.length === 6)
    const rows = await here.store.ask(db => listDeliveries(db, 'all', {}, { after: undefined, count: 9 }))
    expect(rows.map(({ call, delivered_at }) => [call, delivered_at !== null])).toEqual([
      ['CA2', true],
      ['CA1', true],
      ['CA1', true],
    ])
    expect(hooks.taken.map(({ id }) => id).sort()).toEqual(rows.map(({ id }) => id).sort())

    // The end of an endless call is told as that of any other.
    const { first, last } = limits.store.storyEvents
    const talk: CallFact[] = Array.from({ length: first + last }, () => ({
      name: 'digitPressed',
      private: { digit: '1' },
    }))
    await here.tell('endless', { ...partOf, partOf: 'CA3' }, ...talk, ended)
    await until(() => here.ended.length === 8)
    const told = hooks.taken.slice(-2).map(({ body }) => (body as { readonly data: object }).data)
    const of = { call: 'CA3' }
    expect(told).toHaveLength(2)
    expect(told).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...of, sequence: 1 }),
        expect.objectContaining({ ...of, sequence: first + last + 2 }),
      ]),
    )
    await here.close()
  })
})
