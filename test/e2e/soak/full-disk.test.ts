import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seedDatabase } from '../../support/database.ts'
import { SmallDisk } from '../../support/small-disk.ts'
import { Writer } from '../store/writing.ts'

/** Of an empty database, 39, and what it grows by. */
const DATABASE_MB = 48

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-full-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Calls go on while there is no room, and with room again all of it is in the database, each event once. */
async function survives(disk: SmallDisk, state: string, full: RegExp, whileFull: (writer: Writer) => Promise<void>) {
  await seedDatabase(join(disk.outside, 'database'))
  const writer = new Writer('full', { state, folder: join(disk.path, 'database') }, disk.within)
  await writer.says('taken', 3)
  disk.fill()
  await writer.until(() => writer.trouble.some(text => full.test(text)))
  await writer.says('appended', 20)
  await whileFull(writer)
  disk.free()
  await writer.says('acknowledged', 5)
  await writer.finish()
}

it.concurrent('a full disk under the database: the journal acknowledges, and the database catches up', async () => {
  await using disk = await SmallDisk.open(DATABASE_MB)
  await survives(disk, join(folder, 'elsewhere'), /^The database takes no events/, async writer => {
    await writer.says('acknowledged', 20)
    expect(writer.trouble.join()).not.toContain('journal cannot')
  })
})

it.concurrent('a full disk under everything: nothing is acknowledged that is not kept, and nothing is missing after', async () => {
  await using disk = await SmallDisk.open(DATABASE_MB)
  await survives(disk, join(disk.path, 'state'), /^The journal cannot be written \(ENOSPC/, async writer => {
    const before = writer.count('acknowledged')
    await writer.says('appended', 20)
    expect(writer.count('acknowledged')).toBe(before)
  })
})

it.concurrent('a disk that is too small for the database: it is said, and what was begun does not take the rest of it', async () => {
  await using disk = await SmallDisk.open(DATABASE_MB / 2)
  const program = join(import.meta.dirname, '../../../src/commands/db.ts')
  const [command = '', ...options] = [...disk.within, process.execPath, program, 'import', program]
  const env = { PATH: process.env['PATH'], STATE_DIR: disk.path }
  await expect(promisify(execFile)(command, options, { cwd: folder, env })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^db: The embedded database in .* cannot be opened: the disk is full\./),
  })
  expect(readdirSync(disk.outside)).toEqual(['database.lock'])
})

it.concurrent('a full disk under an export: it is said, and no half of it stays', async () => {
  await using disk = await SmallDisk.open(1)
  disk.fill()
  const state = join(folder, 'exported')
  await seedDatabase(join(state, 'database'))
  const program = join(import.meta.dirname, '../../../src/commands/db.ts')
  const ran = promisify(execFile)(process.execPath, [program, 'export', join(disk.outside, 'store.jsonl')], {
    cwd: folder,
    env: { PATH: process.env['PATH'], STATE_DIR: state },
  })
  await expect(ran).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^db: ENOSPC/) })
  expect(readdirSync(disk.outside)).toEqual(['filler'])
})
