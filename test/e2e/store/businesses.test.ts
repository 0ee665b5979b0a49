import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type BusinessChange,
  businessOfCall,
  changeBusiness,
  createBusiness,
  readBusinesses,
  versionsOfBusinesses,
} from '../../../src/store/businesses.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { seedDatabase } from '../../support/database.ts'
import { PostgresServer } from '../../support/postgres.ts'

const atMs = Date.UTC(2026, 0, 5, 9)

function change(id: string, also: Partial<BusinessChange> = {}): BusinessChange {
  return { id, choice: { name: id }, numbers: [], destinations: [], atMs, ...also }
}

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-businesses-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

describe.each(['embedded', 'server'] as const)('businesses in the %s database', kind => {
  let database: Database
  beforeAll(async () => {
    const place = join(folder, 'database')
    if (kind === 'embedded') await seedDatabase(place)
    database = await openDatabase({ url: kind === 'server' ? server.url : undefined, folder: place })
  })
  afterAll(() => database.close())

  it('are kept as they were written, with their numbers and destinations, and each change counts', async () => {
    const { db } = database
    const choice = { name: 'Zoo', zebra: 1, hours: { monday: [], friday: [] }, about: 'a\\u0000\n"' }
    const desk = { key: 'front-desk', name: 'Front Desk', address: 'sip:2000@192.0.2.10' }
    const numbers = ['+15550100200', '+15550100201', '+15550100200']
    const made = await createBusiness(db, 'all', change('zoo', { choice, numbers, destinations: [desk] }))
    const at = new Date(atMs).toISOString()
    const stored = { id: 'zoo', choice, active: true, version: 1, createdAt: at, changedAt: at, fileHash: null }
    expect(made).toEqual({ kind: 'written', stored })
    const [read] = await readBusinesses(db, 'all', ['zoo', 'none'])
    expect(JSON.stringify(read!.choice)).toBe(JSON.stringify(choice))
    const of = (table: 'numbers' | 'destinations') => db.selectFrom(table).selectAll().where('business', '=', 'zoo')
    expect(await of('numbers').execute()).toHaveLength(2)
    expect(await of('destinations').execute()).toEqual([{ business: 'zoo', ...desk }])
    const later = { active: false, fileHash: 'abc', atMs: atMs + 1_000, numbers: ['+15550100201'] }
    expect(await changeBusiness(db, 'all', change('zoo', later))).toMatchObject({
      stored: { active: false, version: 2, fileHash: 'abc', createdAt: at, choice: { name: 'zoo' } },
    })
    expect(await of('numbers').execute()).toEqual([{ business: 'zoo', number: '+15550100201' }])
    expect(await of('destinations').execute()).toEqual([])
    expect(await versionsOfBusinesses(db, 'all')).toEqual(new Map([['zoo', 2]]))
  })

  it('are changed as a whole or not at all: a number that is another’s leaves everything as it was', async () => {
    const { db } = database
    await createBusiness(db, 'all', change('owner', { numbers: ['+15550100300'] }))
    await createBusiness(db, 'all', change('other', { numbers: ['+15550100400'] }))
    const numbers = ['+15550100500', '+15550100300']
    const taken = { kind: 'numberTaken', number: '+15550100300', by: 'owner' }
    expect(await changeBusiness(db, 'all', change('other', { numbers, choice: { name: 'x' } }))).toEqual(taken)
    expect(await createBusiness(db, 'all', change('third', { numbers }))).toEqual(taken)
    expect(await readBusinesses(db, 'all', ['other', 'third'])).toMatchObject([
      { version: 1, choice: { name: 'other' } },
    ])
    const kept = db.selectFrom('numbers').selectAll().where('business', 'in', ['other', 'third'])
    expect(await kept.execute()).toEqual([{ business: 'other', number: '+15550100400' }])
  })

  it('take one of several changes that were made to the same version, and one of several of the same id', async () => {
    const { db } = database
    const made = await Promise.all([1, 2, 3, 4].map(() => createBusiness(db, 'all', change('busy'))))
    expect(made.map(({ kind }) => kind).sort()).toEqual(['exists', 'exists', 'exists', 'written'])
    const changed = await Promise.all([1, 2, 3, 4].map(() => changeBusiness(db, 'all', change('busy'), [1])))
    expect(changed.map(({ kind }) => kind).sort()).toEqual(['outdated', 'outdated', 'outdated', 'written'])
    expect(await changeBusiness(db, 'all', change('nobody'))).toEqual({ kind: 'unknown' })
  })

  it('are seen by themselves, and by no other', async () => {
    const { db } = database
    const scope = { business: 'zoo' }
    expect([...(await versionsOfBusinesses(db, scope)).keys()]).toEqual(['zoo'])
    expect((await readBusinesses(db, scope, ['zoo', 'owner'])).map(({ id }) => id)).toEqual(['zoo'])
    expect(await changeBusiness(db, scope, change('owner'))).toEqual({ kind: 'unknown' })
    expect(await createBusiness(db, scope, change('mine'))).toEqual({ kind: 'unknown' })
    await db
      .insertInto('calls')
      .values({ id: 'call-1', business: 'owner', state: 'ended', offered_at: new Date(atMs) })
      .execute()
    expect(await businessOfCall(db, 'all', 'call-1')).toBe('owner')
    expect(await businessOfCall(db, scope, 'call-1')).toBeUndefined()
  })
})
