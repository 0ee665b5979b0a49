import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type Snapshot, SnapshotFile } from '../../src/store/snapshot.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-snapshot-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const snapshotOf = (name: string): Snapshot => {
  const at = '2026-01-05T09:00:00.000Z'
  const business = { id: 'dentist', choice: { name }, active: true, version: 1, fileHash: null }
  return { own: null, businesses: [{ ...business, createdAt: at, changedAt: at }] }
}

/** In a folder that is not there as long as nothing can be written. */
function house() {
  const [clock, troubles] = [new VirtualClock(), [] as string[]]
  const file = join(folder, 'state/businesses.json')
  return { clock, troubles, file, snapshot: new SnapshotFile(file, clock, text => troubles.push(text)) }
}

describe('what a start without the database goes by', () => {
  it('is written when it can be: the last of what there was, by itself, and told once', async () => {
    const { clock, troubles, file, snapshot } = house()
    for (const name of ['first', 'second', 'third']) snapshot.write(snapshotOf(name))
    await until(() => clock.pending === 1)
    clock.advance(limits.store.retryMs.most)
    await until(() => clock.pending === 1)
    expect(troubles).toEqual([expect.stringMatching(/businesses\.json cannot be written \(ENOENT/)])
    mkdirSync(join(folder, 'state'))
    clock.advance(limits.store.retryMs.most)
    await until(() => existsSync(file))
    await snapshot.written()
    expect(snapshot.read()).toEqual(snapshotOf('third'))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect([clock.pending, troubles.length]).toEqual([0, 1])
  })

  it('does not keep the program from ending', async () => {
    const { clock, snapshot } = house()
    snapshot.write(snapshotOf('first'))
    await snapshot.written()
    expect(clock.pending).toBe(0)
    expect(snapshot.read()).toBeUndefined()
  })
})
