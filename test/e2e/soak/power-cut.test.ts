import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seedDatabase } from '../../support/database.ts'
import { Writer } from '../store/writing.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-power-cut-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it('an embedded database that a power cut has set back is made good from the journal', async () => {
  const here = { state: folder, folder: join(folder, 'database') }
  await seedDatabase(here.folder)
  const before = new Writer('before', here)
  await before.says('taken', 3)
  await before.finish()
  const earlier = join(folder, 'earlier')
  await cp(here.folder, earlier, { recursive: true })
  const after = new Writer('after', here)
  await after.says('taken', 3)
  await after.finish(before)
  await rm(here.folder, { recursive: true })
  await rename(earlier, here.folder)
  const again = new Writer('again', here)
  await again.says('acknowledged')
  await again.finish(before, after)
  expect([before, after, again].flatMap(({ trouble }) => trouble)).toEqual([])
})
