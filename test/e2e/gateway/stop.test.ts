import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, vi } from 'vitest'
import { greeted, greetingHz, House, isRunning } from './house.ts'

const root = join(import.meta.dirname, '../../..')
/** One after the other, and each for itself: a house is started twice in it, and a busy machine takes its time for that. */
vi.setConfig({ testTimeout: 240_000 })

/** The first line that holds the words; what comes after is read and thrown away. */
async function says(program: ChildProcess, words: string): Promise<void> {
  const found = Promise.withResolvers<void>()
  for (const stream of [program.stdout, program.stderr]) {
    createInterface(stream!).on('line', line => line.includes(words) && found.resolve())
  }
  await found.promise
}

/** All that run with the environment of this house: npm, its script, the gateway; not Asterisk, which has one of its own. */
function processesOf(house: House): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Boolean)
  return pids.filter(pid => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`=${house.stateDir}/state\0`)
    } catch {
      return false
    }
  })
}

/** Whatever a test that failed has left. */
function endGroup({ pid = 0 }: ChildProcess): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {}
}

it.each(['SIGTERM', 'SIGINT'] as const)('ends with all it started when only npm hears %s', async signal => {
  await using house = await House.open({ database: 'embedded' })
  await house.signal('SIGTERM')
  // A group of its own, and no terminal: as a supervisor starts it.
  const npm = spawn('npm', ['start'], { cwd: root, env: house.environment, detached: true })
  await says(npm, 'parley ready')
  const asterisk = await house.asteriskPid()
  try {
    npm.kill(signal)
    await house.until(async () => !isRunning(asterisk) && processesOf(house).length === 0)
  } finally {
    endGroup(npm)
  }
})

it('ends with its calls and all it started when its terminal is closed', async () => {
  await using house = await House.open()
  await house.signal('SIGTERM')
  const options = { cwd: root, env: house.environment, detached: true }
  const terminal = spawn('script', ['--quiet', '--command', 'npm start', '/dev/null'], options)
  try {
    await says(terminal, 'parley ready')
    const asterisk = await house.asteriskPid()
    const call = await house.dial()
    await call.hearsTone(greetingHz, { forMs: 300 })
    // From now on whoever writes to it fails.
    terminal.kill('SIGKILL')
    expect(await call.ended).toMatchObject({ by: 'callee', how: 'bye' })
    await house.until(async () => !isRunning(asterisk) && processesOf(house).length === 0)
  } finally {
    for (const pid of processesOf(house)) process.kill(pid, 'SIGKILL')
  }
  expect((await house.events()).map(event => event.fact.name)).toContain('ended')
})

it('ends when it is told to while it waits for an Asterisk that never comes', async () => {
  await using house = await House.open()
  await house.signal('SIGTERM')
  const environment = { ...house.environment, ASTERISK: 'external', ARI_PASSWORD: 'of-no-asterisk' }
  const waiting = spawn(process.execPath, [join(root, 'src/main.ts')], { cwd: house.stateDir, env: environment })
  await says(waiting, 'Asterisk could not be reached')
  waiting.kill('SIGTERM')
  expect(await once(waiting, 'exit')).toEqual([0, null])
})

it('waits no longer for its calls when it is told to stop a second time, and leaves no Asterisk', async () => {
  await using house = await House.open({ environment: { DRAIN_SECONDS: '600' } })
  const asterisk = await house.asteriskPid()
  const call = await house.dial()
  await greeted(call)
  const ended = house.signal('SIGTERM')
  await house.draining()
  // What comes within a second is still the first wish: one press of Ctrl-C may arrive several times.
  await house.until(async () => {
    const heard = house.log.some(line => line.includes('ending the calls'))
    if (!heard) process.kill(house.pid, 'SIGTERM')
    return heard
  })
  expect(await ended).toBe(0)
  expect(isRunning(asterisk)).toBe(false)
})
