import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../../test/support/asterisk.ts'
import { spawnTied } from '../../test/support/tied.ts'
import { watchProcessors } from '../house/processors.ts'
import { percentiles } from '../report/percentiles.ts'
import { figure, type Row } from '../report/row.ts'
import type { How, Subject } from './measurement.ts'

const root = join(import.meta.dirname, '../..')
const directory = join(root, '.parley/bench-start')
const STARTS = 9
const GOAL_MS = 3_000

export const start: Subject = {
  title: 'Start',
  method: `\`npm start\` as a person types it, again and again on one STATE_DIR: npm, the check of what is installed, the program, and an
Asterisk that is started each time, until the line \`parley ready\` arrives. Dependencies, Asterisk and the speech software are there already: the
first start, which is not counted, would have fetched them.`,
  measurements: [{ name: 'start', run }],
}

async function run({ quick, progress }: How): Promise<Row[]> {
  const count = quick ? 3 : STARTS
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  const environment = await settings()
  await startedMs(environment)
  progress(`${count} starts`)
  const stopWatching = watchProcessors({})
  const times: number[] = []
  for (let n = 0; n < count; n++) times.push(await startedMs(environment))
  // What ran is gone before it could be told by process: all of it counts among the others.
  const conditions = { ...stopWatching(), echoMs: undefined, callerLateMs: undefined }
  await rm(directory, { recursive: true, force: true })
  const { p50, max } = percentiles(times)
  return [
    {
      subject: `second start to ready, ${count} times`,
      checks: [{ name: 'p50', value: p50, most: GOAL_MS, below: true, unit: 'ms' }],
      notes: [`max ${figure(max)} ms`],
      conditions,
    },
  ]
}

async function settings(): Promise<Record<string, string>> {
  const [http, sip, ari] = await Promise.all([freePort(), freePort(), freePort()])
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    ...(process.env['ASTERISK'] ? { ASTERISK: process.env['ASTERISK'] } : {}),
    ASTERISK_CACHE: join(root, '.parley/asterisk'),
    SPEECH_CACHE: join(root, '.parley/speech'),
    STATE_DIR: join(directory, 'state'),
    HTTP_PORT: String(http),
    SIP_TCP_PORT: String(sip),
    SIP_UDP_PORT: String(sip),
    ARI_PORT: String(ari),
  }
}

/** Until it is ready; then it is stopped, and is gone when this settles. */
async function startedMs(environment: Record<string, string>): Promise<number> {
  const began = performance.now()
  const npm = spawnTied('npm', ['start'], { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    await ready(npm)
    return performance.now() - began
  } finally {
    const ended = npm.exitCode === null && npm.signalCode === null ? once(npm, 'exit') : undefined
    npm.kill('SIGTERM')
    await ended
  }
}

function ready(npm: ChildProcess): Promise<void> {
  const said: string[] = []
  return new Promise((resolve, reject) => {
    const read = (line: string) => {
      said.push(line)
      if (line.startsWith('parley ready')) resolve()
    }
    for (const output of [npm.stdout, npm.stderr]) if (output) createInterface(output).on('line', read)
    npm.once('error', reject)
    npm.once('exit', () => reject(new Error(`it did not start:\n${said.slice(-10).join('\n')}`)))
  })
}
