import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { createGunzip, createGzip } from 'node:zlib'
import { loadConfig } from '../config.ts'
import { asError } from '../errors.ts'
import { type Database, type DatabaseSettings, openDatabase } from '../store/database.ts'
import { type Counts, exportStore, importStore } from '../store/transfer.ts'

const usage = `Moves everything that is kept from one database to another.

  npm run db -- export FILE    writes all of it to a new file
  npm run db -- import FILE    reads it into a database that is empty

The database is the one that npm start would use: the server of DATABASE_URL, else the embedded one in STATE_DIR, for
which Parley must be stopped. A FILE that ends in .gz is packed. It holds what callers said: only its owner can read it.`

await main().catch(error => {
  console.error(`db: ${asError(error).message}`)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { help: { type: 'boolean' } }, allowPositionals: true })
  if (values.help) return console.log(usage)
  const [task, file, ...rest] = positionals
  if (!file || rest.length > 0 || (task !== 'export' && task !== 'import')) {
    throw new Error(`Say what to do, and one file.\n\n${usage}`)
  }
  const { config } = loadConfig(process.cwd())
  const settings = { url: config.databaseUrl?.reveal(), folder: join(config.stateDir, 'database') }
  const name = settings.url === undefined ? `the embedded database in ${settings.folder}` : 'the server of DATABASE_URL'
  if (task === 'export') {
    mustExist(settings)
    if (existsSync(file)) throw new Error(`${file} is there already. Choose another name, or move it away.`)
  } else if (!existsSync(file)) throw new Error(`${file} is not there.`)
  const database = await openDatabase(settings)
  try {
    const counts = await (task === 'export' ? write(database, file) : read(database, file))
    console.log(task === 'export' ? `${file} holds what is in ${name}:` : `${name} holds what is in ${file}:`)
    console.log(listed(counts))
  } finally {
    await database.close()
  }
}

/** Opening it would make one. */
function mustExist({ url, folder }: DatabaseSettings): void {
  if (url !== undefined || existsSync(folder)) return
  throw new Error(`There is no database in ${folder}. Use the STATE_DIR that Parley was started with, or DATABASE_URL.`)
}

/** Beside, and renamed when all of it is on the disk. */
async function write({ db }: Database, file: string): Promise<Counts> {
  const unfinished = `${file}.unfinished`
  let counts: Counts = {}
  const lines = async function* () {
    counts = yield* exportStore(db)
  }
  try {
    const output = createWriteStream(unfinished, { flags: 'w', mode: 0o600, flush: true })
    await pipeline(lines, file.endsWith('.gz') ? createGzip() : new PassThrough(), output)
    await rename(unfinished, file)
    return counts
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

async function read({ db }: Database, file: string): Promise<Counts> {
  let counts: Counts = {}
  const input = file.endsWith('.gz') ? createGunzip() : new PassThrough()
  await pipeline(createReadStream(file), input.setEncoding('utf8'), async (text: AsyncIterable<string>) => {
    counts = await importStore(db, linesOf(text))
  }).catch(error => {
    const { code } = Object(error) as { code?: unknown }
    if (!String(code).startsWith('Z_')) throw error
    throw new Error(`${file} cannot be unpacked: it was not written by this command, or it ends early.`)
  })
  return counts
}

async function* linesOf(text: AsyncIterable<string>): AsyncIterable<string> {
  let begun = ''
  for await (const piece of text) {
    const lines = (begun + piece).split('\n')
    begun = lines.pop() ?? ''
    yield* lines
  }
  if (begun !== '') yield begun
}

function listed(counts: Counts): string {
  const width = Math.max(...Object.keys(counts).map(name => name.length))
  return Object.entries(counts)
    .map(([name, count]) => `  ${name.padEnd(width)}  ${count.toLocaleString('en')}`)
    .join('\n')
}
