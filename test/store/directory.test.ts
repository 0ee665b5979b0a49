import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BusinessDefaults } from '../../src/business.ts'
import { limits } from '../../src/limits.ts'
import { Directory } from '../../src/store/directory.ts'
import type { Snapshot } from '../../src/store/snapshot.ts'
import { MemoryRecords } from '../support/business-records.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

let folder = ''
let seconds = 1_700_000_000
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-directory-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What a gateway has of its own, and keeps from one start to the next. */
class Place {
  readonly clock = new VirtualClock()
  readonly file = join(folder, 'business.yaml')
  readonly trouble: string[] = []
  readonly changed: string[] = []
  kept: Snapshot | undefined

  write(text: string): void {
    writeFileSync(this.file, text)
    utimesSync(this.file, ++seconds, seconds)
  }

  start(records: MemoryRecords, chosen: Partial<BusinessDefaults> & { nothingChosen?: boolean } = {}): Directory {
    const { nothingChosen = false, ...defaults } = chosen
    return new Directory({
      defaults: {
        ...{ file: this.file, name: 'Parley', phone: undefined, ownerPhone: undefined, engine: 'scripted' },
        ...defaults,
      },
      nothingChosen,
      snapshot: {
        read: () => this.kept,
        write: snapshot => {
          this.kept = JSON.parse(JSON.stringify(snapshot))
        },
        written: async () => {},
      },
      records,
      shared: true,
      clock: this.clock,
      told: () => {},
      trouble: text => this.trouble.push(text),
      changed: (now, before) => this.changed.push(`${before?.name ?? 'nothing'} -> ${now.name}`),
    })
  }
}

async function opened(place: Place, records: MemoryRecords, chosen: Parameters<Place['start']>[1] = {}) {
  const directory = place.start(records, chosen)
  await directory.open()
  return directory
}

const now = (directory: Directory) => directory.upToDate().standard.name

describe('the business of the file', () => {
  it('fills an empty database, as it was written', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('name: Dentist\nnumbers: ["+15550100200"]')
    const directory = await opened(place, records, { phone: '+15550100999', conversation: { maxSeconds: 90 } })
    expect(records.rows.get('dentist')).toMatchObject({
      choice: { name: 'Dentist', numbers: ['+15550100200'] },
      active: true,
      version: 1,
    })
    expect(Object.keys(records.rows.get('dentist')!.choice)).toEqual(['name', 'numbers'])
    expect(directory.standard.conversation.maxSeconds).toBe(90)
  })

  it('is in force at once when the file changes, and then in the database as a new version', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('name: First')
    const directory = await opened(place, records)
    place.write('name: Second')
    expect(now(directory)).toBe('Second')
    await place.clock.settle()
    // The id stays the one that the first name made.
    expect([...records.rows.keys()]).toEqual(['first'])
    expect(records.rows.get('first')).toMatchObject({ choice: { name: 'Second' }, version: 2 })
    expect(place.changed).toEqual(['First -> Second'])
  })

  it('stays as it was when the file becomes wrong, which is told once', async () => {
    const place = new Place()
    place.write('name: First')
    const directory = await opened(place, new MemoryRecords())
    place.write('nome: Second')
    expect([now(directory), now(directory)]).toEqual(['First', 'First'])
    expect(place.trouble).toEqual([expect.stringContaining('nome')])
    place.write('name: Third')
    expect(now(directory)).toBe('Third')
  })

  it('keeps what the API has changed, over a restart too, until the file changes again', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('name: By file')
    let directory = await opened(place, records)
    expect(await directory.change('by-file', { name: 'By API' })).toMatchObject({ kind: 'written' })
    expect(now(directory)).toBe('By API')
    // Touched and saved without a change is no change.
    place.write('name: By file')
    expect(now(directory)).toBe('By API')
    await directory.close()
    directory = await opened(place, records)
    expect(now(directory)).toBe('By API')
    place.write('name: By file again')
    expect(now(directory)).toBe('By file again')
    await place.clock.settle()
    expect(records.rows.get('by-file')).toMatchObject({ choice: { name: 'By file again' }, version: 3 })
  })

  it('is taken anew when it changed while the gateway was down', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('id: dentist\nname: First')
    await (await opened(place, records)).close()
    place.write('id: dentist\nname: Second')
    const directory = place.start(records)
    expect(directory.standard.name).toBe('Second')
    await directory.open()
    expect(records.rows.get('dentist')).toMatchObject({ choice: { name: 'Second' }, version: 2 })
  })

  it('does not come back from a gateway with an older file that has only been started again', async () => {
    const [old, records] = [new Place(), new MemoryRecords()]
    old.write('id: dentist\nname: Old')
    await (await opened(old, records)).close()
    const newer = new Place()
    newer.write('id: dentist\nname: New')
    await (await opened(newer, records)).close()
    old.write('id: dentist\nname: Old')
    expect(now(await opened(old, records))).toBe('New')
  })

  it('is not taken in when one of its numbers is another’s: that is told, and what was there stays', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('name: Dentist')
    const directory = await opened(place, records)
    await directory.create({ name: 'Plumber', numbers: ['+15550100300'] })
    place.write('name: Dentist of all\nnumbers: ["+15550100300"]')
    directory.upToDate()
    await place.clock.run(3 * limits.store.lookMs)
    expect(now(directory)).toBe('Dentist')
    expect(directory.withNumber('+15550100300')?.id).toBe('plumber')
    expect(place.trouble).toEqual([expect.stringMatching(/dentist was not changed: .*0300 belongs to .* plumber/)])
    place.write('name: Dentist of some')
    directory.upToDate()
    await place.clock.run(limits.store.lookMs)
    expect(records.rows.get('dentist')).toMatchObject({ choice: { name: 'Dentist of some' } })
  })

  it('can be closed to calls, which an edit of the file does not undo', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('name: Dentist')
    const directory = await opened(place, records)
    await directory.change('dentist', { name: 'Dentist', active: false })
    place.write('name: Dentist again')
    expect(directory.upToDate().standard).toMatchObject({ name: 'Dentist again', active: false })
    await place.clock.settle()
    expect(records.rows.get('dentist')).toMatchObject({ active: false, choice: { name: 'Dentist again' } })
  })
})

describe('the business of the environment', () => {
  it('alone has its number and its person, where none are chosen', async () => {
    const records = new MemoryRecords()
    const environment = { file: undefined, name: 'Hotel', phone: '+15550100200', ownerPhone: '+15550100201' }
    const directory = await opened(new Place(), records, environment)
    await directory.create({ name: 'Plumber' })
    expect(directory.find('hotel')).toMatchObject({ numbers: ['+15550100200'], notify: { phone: '+15550100201' } })
    expect(directory.find('plumber')).toMatchObject({ numbers: [], notify: {} })
    expect(directory.withNumber('+15550100200')?.id).toBe('hotel')
    expect(records.rows.get('hotel')!.choice).toEqual({ name: 'Hotel' })
    await directory.create({ name: 'Baker', numbers: ['+15550100200'] })
    expect(directory.withNumber('+15550100200')?.id).toBe('baker')
  })

  it('comes into an empty database only, when nothing was chosen', async () => {
    const nothing = { file: undefined, nothingChosen: true }
    const records = new MemoryRecords()
    const first = await opened(new Place(), records, nothing)
    expect([...records.rows.keys()]).toEqual(['parley'])
    expect(first.standard.id).toBe('parley')
    const other = new MemoryRecords()
    await (await opened(new Place(), other, { file: undefined, name: 'Hotel' })).create({ name: 'Annex' })
    const second = await opened(new Place(), other, nothing)
    expect([...other.rows.keys()]).toEqual(['hotel', 'annex'])
    expect(second.standard.id).toBe('hotel')
    await second.change('hotel', { name: 'Hotel', active: false })
    expect(second.standard.id).toBe('annex')
  })
})

describe('what the database has', () => {
  it('is served from the snapshot while it is away, and what the file has chosen since', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('name: Dentist')
    const before = await opened(place, records)
    await before.create({ name: 'Plumber', numbers: ['+15550100300'] })
    await before.change('dentist', { name: 'Dentist by API' })
    await before.close()
    records.away = true
    const directory = await opened(place, records)
    expect(now(directory)).toBe('Dentist by API')
    expect(directory.withNumber('+15550100300')?.name).toBe('Plumber')
    await expect(directory.create({ name: 'Baker' })).rejects.toMatchObject({ code: 'STORE_AWAY' })
    place.write('name: Dentist by file')
    expect(now(directory)).toBe('Dentist by file')
    records.away = false
    await place.clock.run(limits.store.lookMs)
    expect(records.rows.get('dentist')).toMatchObject({ choice: { name: 'Dentist by file' }, version: 3 })
  })

  it('without it and without a snapshot is what the file has chosen', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    records.away = true
    place.write('name: Dentist')
    const directory = await opened(place, records)
    expect(now(directory)).toBe('Dentist')
    expect(place.kept).toBeUndefined()
  })

  it('is seen within two seconds when another gateway has changed it', async () => {
    const records = new MemoryRecords()
    const [one, other] = [new Place(), new Place()]
    one.write('id: dentist\nname: Dentist')
    const [here, there] = [await opened(one, records), await opened(other, records)]
    await here.change('dentist', { name: 'Changed', numbers: ['+15550100200'] })
    await here.create({ name: 'Plumber' })
    expect(now(there)).toBe('Dentist')
    await other.clock.run(2_000)
    expect(now(there)).toBe('Changed')
    expect(there.withNumber('+15550100200')?.id).toBe('dentist')
    expect(there.find('plumber')?.name).toBe('Plumber')
    expect(other.changed).toEqual(['Dentist -> Changed', 'nothing -> Plumber'])
    await Promise.all([here.close(), there.close()])
    expect([one.clock.pending, other.clock.pending]).toEqual([0, 0])
  })

  it('is refused here, not served as something else, where this gateway cannot do it', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('name: Dentist')
    const first = await opened(place, records)
    await first.create({ name: 'Plumber', engine: 'realtime', numbers: ['+15550100300'] })
    await first.close()
    const unusable = { realtime: 'needs a key' }
    const directory = await opened(place, records, { unusable })
    expect(directory.withNumber('+15550100300')).toMatchObject({ id: 'plumber', active: false })
    expect(place.trouble).toContain(
      'The business plumber cannot be served here. Its calls are refused: engine: realtime needs a key.',
    )
    expect(records.rows.get('plumber')!.active).toBe(true)
  })
})

describe('a change', () => {
  const dentist = async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('name: Dentist')
    return { place, records, directory: await opened(place, records) }
  }

  it('is judged by the rules of the file', async () => {
    const { directory } = await dentist()
    expect(await directory.change('dentist', { nome: 'x' })).toMatchObject({
      kind: 'wrong',
      problems: [expect.stringMatching(/^name: /), expect.stringContaining('nome')],
    })
    expect(await directory.change('dentist', { id: 'other', name: 'x' })).toMatchObject({ kind: 'wrong' })
    expect(await directory.create({ name: 'x', active: 'yes' })).toMatchObject({ kind: 'wrong' })
    expect(now(directory)).toBe('Dentist')
  })

  it('is refused when it was made to an older version, or to none, or takes what is another’s', async () => {
    const { directory } = await dentist()
    expect(await directory.change('dentist', { name: 'Changed' }, [1])).toMatchObject({ kind: 'written' })
    expect(await directory.change('dentist', { name: 'Late' }, [1])).toEqual({ kind: 'outdated', version: 2 })
    expect(await directory.change('baker', { name: 'Baker' })).toEqual({ kind: 'unknown' })
    expect(await directory.create({ id: 'dentist', name: 'Another' })).toEqual({ kind: 'exists' })
    await directory.create({ name: 'Plumber', numbers: ['+15550100300'] })
    const taken = await directory.change('dentist', { name: 'D', numbers: ['+15550100300'] })
    expect(taken).toEqual({ kind: 'numberTaken', number: '+15550100300', by: 'plumber' })
    expect(now(directory)).toBe('Changed')
  })

  it('keeps whether it is active when it does not say', async () => {
    const { directory } = await dentist()
    await directory.change('dentist', { name: 'Dentist', active: false })
    await directory.change('dentist', { name: 'Changed' })
    expect(directory.standard).toMatchObject({ name: 'Changed', active: false })
  })

  it('that failed on the way, and has come about all the same, is seen', async () => {
    const { place, records, directory } = await dentist()
    const { change } = records
    records.change = async (...asked) => {
      await change.apply(records, asked)
      throw new Error('the connection was lost')
    }
    await expect(directory.change('dentist', { name: 'Changed' })).rejects.toThrow('lost')
    await place.clock.run(limits.store.lookMs)
    expect(now(directory)).toBe('Changed')
  })
})

describe('numbers that a business of the file was given otherwise', () => {
  const given = '+15550100301'

  it('stay when the file that names none is edited, also by a gateway that starts anew', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('name: Dentist\n')
    const directory = await opened(place, records)
    expect(directory.namesNumbers('dentist')).toBe(false)
    const { choice } = directory.stored('dentist')!
    await directory.change('dentist', { ...choice, numbers: [given] })
    place.write('name: Dentist\ngreeting: Good morning!\n')
    expect(directory.upToDate().withNumber(given)).toMatchObject({ id: 'dentist', greeting: 'Good morning!' })
    await place.clock.run(2 * limits.store.lookMs)
    expect(records.rows.get('dentist')?.choice).toMatchObject({ numbers: [given], greeting: 'Good morning!' })
    await directory.close()
    place.write('name: Dentist\ngreeting: Good evening!\n')
    const next = await opened(place, records)
    expect(next.withNumber(given)).toMatchObject({ id: 'dentist', greeting: 'Good evening!' })
    await next.close()
  })

  it('are those of the file where it names them', async () => {
    const [place, records] = [new Place(), new MemoryRecords()]
    place.write('name: Dentist\n')
    const directory = await opened(place, records)
    await directory.change('dentist', { ...directory.stored('dentist')!.choice, numbers: [given] })
    place.write('name: Dentist\nnumbers: ["+15550100302"]\n')
    expect(directory.upToDate().find('dentist')?.numbers).toEqual(['+15550100302'])
    expect(directory.namesNumbers('dentist')).toBe(true)
    await directory.close()
  })
})
