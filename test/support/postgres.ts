import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { chmod, chown, cp, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pause, systemClock } from '../../src/clock.ts'
import { runCommand } from '../../src/debian/command.ts'
import { machineArchitecture } from '../../src/debian/machine.ts'
import { fetchTree, type Recipe } from '../../src/debian/tree.ts'
import { GatewayError } from '../../src/errors.ts'
import { until } from './until.ts'

/** A real PostgreSQL server of a test's own: the installed one, else Debian's, unpacked into the private folder. */

/** PostgreSQL refuses to run as root: it is given to nobody, who owns nothing else. */
const nobody = { uid: 65_534, gid: 65_534 }
const asRoot = process.getuid?.() === 0
const asNobody = [`--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, '--clear-groups']

const recipe: Recipe = {
  name: 'PostgreSQL server',
  wanted: ['postgresql'],
  // Compilers of queries, administration by scripts, and what belongs to a system.
  leftOut: [/^(libllvm|postgresql-client-common$|postgresql-common|ssl-cert|perl|libperl|python|systemd|libc-gconv)/],
  megabytes: 40,
  remedy: 'Install the package postgresql.',
  code: 'PROGRAM_MISSING',
  finish: wrapPrograms,
  versionOf,
  isRecentEnough: () => true,
}

/** The folder of its programs. */
async function testPostgres(): Promise<string> {
  const installed = await newestIn('/usr/lib/postgresql')
  if (installed) return installed
  const { root } = await fetchTree(recipe, {
    cacheDirectory: join(import.meta.dirname, '../../.parley/postgres'),
    environment: process.env,
    clock: systemClock,
    progress: text => console.error(`postgres: ${text}`),
  })
  return programsIn(asRoot ? await openToNobody(root) : root)
}

/** For this process and those that it starts. */
const COPY = 'PARLEY_TEST_PROGRAMS'

/** The way to the project may be root's alone. */
async function openToNobody(root: string): Promise<string> {
  const known = process.env[COPY]
  if (known !== undefined) return known
  const copy = await mkdtemp(join(tmpdir(), 'parley-postgres-programs-'))
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }))
  await cp(root, copy, { recursive: true, verbatimSymlinks: true })
  await chmod(copy, 0o755)
  process.env[COPY] = copy
  return copy
}

async function programsIn(root: string): Promise<string> {
  const folder = await newestIn(join(root, 'usr/lib/postgresql'))
  if (!folder) throw new GatewayError('PROGRAM_MISSING', 'what was unpacked holds no server')
  return folder
}

/**
 * Its programs start one another by their names, so each is replaced by a script of that name, which runs it through the
 * tree's own loader. The tree is moved when it is complete: the script looks where it stands.
 */
async function wrapPrograms(root: string): Promise<void> {
  const folder = await programsIn(root)
  const { triplet, loader } = machineArchitecture()!
  const script = `#!/bin/sh
libraries=$(cd "$(dirname "$0")/../../../${triplet}" && pwd)
exec "$libraries/${loader}" --library-path "$libraries" --argv0 "$0" "$0.unpacked" "$@"
`
  for (const program of ['initdb', 'postgres'].map(name => join(folder, name))) {
    await rename(program, `${program}.unpacked`)
    await writeFile(program, script, { mode: 0o755 })
  }
}

async function newestIn(folder: string): Promise<string | undefined> {
  const versions = await readdir(folder).catch(() => [])
  const newest = versions.map(Number).sort((a, b) => b - a)[0]
  return newest === undefined ? undefined : join(folder, String(newest), 'bin')
}

async function versionOf(root: string): Promise<string> {
  const programs = await programsIn(root)
  const command = [join(programs, 'postgres'), '--version']
  const { code, stdout, stderr } = await runCommand(command, { clock: systemClock, timeoutMs: 60_000, environment })
  const version = /\d+\.\d+/.exec(stdout)?.[0]
  if (code !== 0 || version === undefined)
    throw new GatewayError('PROGRAM_MISSING', `it does not run: ${stderr.trim()}`)
  return version
}

const environment = { PATH: process.env['PATH'], LC_ALL: 'C' }

function run(programs: string, program: string, ...args: string[]) {
  const command = [...(asRoot ? ['setpriv', ...asNobody] : []), join(programs, program), ...args]
  return runCommand(command, { clock: systemClock, timeoutMs: 60_000, environment })
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

export class PostgresServer implements AsyncDisposable {
  /** What DATABASE_URL would be. */
  readonly url: string
  readonly #programs: string
  readonly #folder: string
  readonly #settings: readonly string[]
  #server: ChildProcess | undefined

  private constructor(programs: string, folder: string, settings: readonly string[]) {
    this.#programs = programs
    this.#folder = folder
    this.#settings = settings
    this.url = `postgresql://parley@localhost/postgres?host=${folder}`
  }

  static async start(settings: readonly string[] = ['shared_buffers=32MB']): Promise<PostgresServer> {
    const programs = await testPostgres()
    const folder = await mkdtemp(join(tmpdir(), 'parley-postgres-'))
    if (asRoot) await chown(folder, nobody.uid, nobody.gid)
    const made = await run(
      programs,
      'initdb',
      '-D',
      join(folder, 'data'),
      '-U',
      'parley',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '-N',
    )
    if (made.code !== 0) throw new Error(`initdb failed: ${made.stderr}`)
    const server = new PostgresServer(programs, folder, settings)
    await server.begin()
    return server
  }

  async begin(): Promise<void> {
    const data = join(this.#folder, 'data')
    // Reached by its socket only, which its folder keeps from others.
    const settings = ['listen_addresses=', ...this.#settings].flatMap(each => ['-c', each])
    // It does not outlive the tests, however they end. SIGINT: it does not wait for its clients.
    const tied = ['--pdeathsig', 'INT', ...(asRoot ? asNobody : [])]
    const command = [...tied, join(this.#programs, 'postgres'), '-D', data, '-k', this.#folder, ...settings]
    const server = spawn('setpriv', command, {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#server = server
    let said = ''
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000)
    })
    await until(() => said.includes('ready to accept connections') || server.exitCode !== null)
    if (server.exitCode !== null) throw new Error(`the server did not start: ${said}`)
  }

  /** The address of an empty database of its own. */
  async database(): Promise<string> {
    return (await databaseOn(this.url)).url
  }

  /** At once: what was acknowledged must be there afterwards. By SIGKILL none of its processes has time for a word. */
  async kill(signal: 'SIGQUIT' | 'SIGINT' | 'SIGKILL' = 'SIGQUIT'): Promise<void> {
    const server = this.#server
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const ended = new Promise(resolve => server.once('exit', resolve))
    const children = signal === 'SIGKILL' ? childrenOf(server.pid!) : []
    server.kill(signal)
    for (const pid of children) {
      // One may have ended by itself.
      if (existsSync(`/proc/${pid}`)) process.kill(pid, signal)
    }
    await ended
    while (children.some(pid => existsSync(`/proc/${pid}`))) await pause(systemClock, 5)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Another database on a server, as its template is. */
export async function databaseOn(server: string): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = `store_${randomUUID().replaceAll('-', '')}`
  await ask(server, `create database ${name}`)
  return {
    url: server.replace('/postgres?', `/${name}?`),
    drop: () => ask(server, `drop database ${name} with (force)`),
  }
}

async function ask(url: string, question: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(question)
  } finally {
    await client.end()
  }
}
