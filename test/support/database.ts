import { createHash, randomUUID } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openDatabase } from '../../src/store/database.ts'
import { Jobs } from '../../src/store/jobs.ts'

const cache = join(import.meta.dirname, '../../.parley/database')

/** Puts an empty database into a folder: making each anew would take most of a test's time. */
export async function seedDatabase(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 })
  await cp(await template(), folder, { recursive: true })
}

/** Of what makes the tables. */
function schemaHash(): string {
  const folder = join(import.meta.dirname, '../../src/store/migrations')
  const hash = createHash('sha256').update(readFileSync(join(folder, '../jobs.ts')))
  for (const name of globSync('*.ts', { cwd: folder }).sort()) hash.update(readFileSync(join(folder, name)))
  return hash.digest('hex').slice(0, 12)
}

/** Made by the code as it is now; whoever comes second finds it. */
async function template(): Promise<string> {
  const folder = join(cache, `empty-${schemaHash()}`)
  if (existsSync(folder)) return folder
  const unfinished = join(cache, randomUUID())
  const database = await openDatabase({ url: undefined, folder: unfinished })
  const trouble = (text: string) => console.error(`database: ${text}`)
  const jobs = await Jobs.open({ ...database, trouble })
  await jobs.close()
  await database.close()
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true }))
  await rm(`${unfinished}.lock`, { force: true })
  return folder
}
