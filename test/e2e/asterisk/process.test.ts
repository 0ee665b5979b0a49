import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { limits } from '../../../src/limits.ts'
import { askConsole } from '../../../src/telephony/asterisk/console.ts'
import { startedTicks } from '../../../src/telephony/asterisk/instance.ts'
import { trimLogs } from '../../../src/telephony/asterisk/logs.ts'
import type { AsteriskSettings } from '../../../src/telephony/asterisk/settings.ts'
import { asteriskProcess, startTestAsterisk, testProgram, testSettings } from '../../support/asterisk.ts'
import { TestAri } from './ari.ts'
import { rawCall } from './raw-call.ts'

const program = await testProgram()
/** An Asterisk that the test starts itself; stopped after it, whatever became of it. */
function prepare(settings: AsteriskSettings, listeners: Parameters<typeof asteriskProcess>[2] = {}, run = program) {
  const asterisk = asteriskProcess(run, settings, listeners)
  return Object.assign(asterisk, {
    async [Symbol.asyncDispose]() {
      await asterisk.stop()
      await rm(dirname(settings.pidFile), { recursive: true, force: true })
    },
  })
}

function pidIn(file: string): number {
  return Number(readFileSync(file, 'utf8'))
}

async function killedGateway(settings: AsteriskSettings, end: (pid: number) => void): Promise<number> {
  const script = join(import.meta.dirname, 'short-lived-gateway.ts')
  const gateway = spawn(process.execPath, [script, JSON.stringify({ program, settings })], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const ended = once(gateway, 'exit').then(([code]) => Promise.reject(new Error(`the gateway ended with code ${code}`)))
  await Promise.race([once(gateway.stdout, 'data'), ended])
  end(gateway.pid ?? 0)
  await ended.catch(() => {})
  return pidIn(settings.pidFile)
}

test.concurrent('two run side by side; each answers to its own password only; a stop leaves nothing', async () => {
  const one = await startTestAsterisk()
  const other = await startTestAsterisk()
  const [ari, otherAri] = [new TestAri(one.settings), new TestAri(other.settings)]
  expect((await ari.request('GET', '/channels')).status).toBe(200)
  expect((await otherAri.request('GET', '/channels')).status).toBe(200)
  expect((await ari.request('GET', '/channels', other.settings.ari.password)).status).toBe(401)
  expect((await ari.request('GET', '/channels', '')).status).toBe(401)
  const { body } = await ari.request('GET', '/asterisk/info')
  expect(body).toMatchObject({ config: { name: one.settings.systemName } })
  const pids = [one, other].map(each => pidIn(each.settings.pidFile))
  expect(pids).toEqual([one.asterisk.pid, other.asterisk.pid])
  await one[Symbol.asyncDispose]()
  expect((await otherAri.request('GET', '/channels')).status).toBe(200)
  await other[Symbol.asyncDispose]()
  expect(pids.map(startedTicks)).toEqual([undefined, undefined])
  expect(existsSync(one.settings.pidFile)).toBe(false)
})

test.concurrent('what it starts without is no error to it, and nobody else can read what it writes', async () => {
  await using running = await startTestAsterisk()
  const log = readFileSync(join(running.settings.directory, 'log/messages.log'), 'utf8')
  expect(log.split('\n').filter(line => /ERROR|WARNING/.test(line))).toEqual([])
  expect(statSync(running.settings.directory).mode & 0o077).toBe(0)
  expect(statSync(join(running.settings.directory, 'etc/ari.conf')).mode & 0o077).toBe(0)
  expect(statSync(join(running.settings.directory, 'log/messages.log')).mode & 0o077).toBe(0)
  const environment = readFileSync(`/proc/${running.asterisk.pid}/environ`, 'utf8')
  expect(
    environment
      .split('\0')
      .map(each => each.split('=')[0])
      .filter(Boolean)
      .sort(),
  ).toEqual(['LANG', 'PATH', 'PWD'])
})

test.concurrent('a log that has grown is rotated, and only the last few are kept', async () => {
  await using running = await startTestAsterisk()
  const { settings } = running
  const folder = join(settings.directory, 'log')
  const place = { program, settings, clock: systemClock }
  for (let time = 0; time < limits.asterisk.logFiles + 2; time++) {
    await appendFile(join(folder, 'messages.log'), 'x'.repeat(limits.asterisk.logBytes))
    await trimLogs(settings, () => askConsole(place, 'logger rotate'))
    expect(statSync(join(folder, 'messages.log')).size).toBeLessThan(1_000)
  }
  const rotated = readdirSync(folder).filter(name => /^messages\.log\.\d+$/.test(name))
  expect(rotated.sort()).toEqual(Array.from({ length: limits.asterisk.logFiles }, (_, n) => `messages.log.${n}`))
})

test.concurrent.each([
  ['kill -9 of the gateway', (pid: number) => process.kill(pid, 'SIGKILL')],
  ['Ctrl-C in its terminal', (pid: number) => process.kill(-pid, 'SIGINT')],
])('after %s it goes on, and the next start adopts it', async (_, end) => {
  const settings = await testSettings()
  const pid = await killedGateway(settings, end)
  expect(startedTicks(pid)).toBeDefined()
  expect((await rawCall({ port: settings.tcpPort, user: 'nobody' })).status).toBe(404)
  const started: { pid: number; adopted: boolean }[] = []
  await using asterisk = prepare(settings, { onStarted: each => started.push(each) })
  await asterisk.start()
  expect(started).toEqual([{ pid, adopted: true }])
  await asterisk.stop()
  expect(startedTicks(pid)).toBeUndefined()
})

test.concurrent('one with another configuration is restarted when its calls have ended', async () => {
  const settings = await testSettings()
  const pid = await killedGateway(settings, gateway => process.kill(gateway, 'SIGKILL'))
  await using gateway = await new TestAri(settings).connect('gateway')
  const call = rawCall({ port: settings.tcpPort })
  const id = (await gateway.event('StasisStart')).channel?.id
  await gateway.request('POST', `/channels/${id}/answer`)
  expect((await call).status).toBe(200)
  let toldToWait = () => {}
  const waits = new Promise<void>(resolve => {
    toldToWait = resolve
  })
  await using asterisk = prepare({ ...settings, maxCalls: 7 }, { progress: () => toldToWait() })
  let started = false
  const start = asterisk.start().then(() => {
    started = true
  })
  await waits
  expect((await gateway.request('GET', `/channels/${id}`)).status).toBe(200)
  expect(started).toBe(false)
  await (await call).hangUp()
  await start
  expect(asterisk.pid).not.toBe(pid)
  expect(startedTicks(pid)).toBeUndefined()
  expect(readFileSync(join(settings.directory, 'etc/extensions.conf'), 'utf8')).toContain('> 7]')
})

test.concurrent('killed, it is told and started again; an adopted one too', async () => {
  const settings = await testSettings()
  const first = await killedGateway(settings, gateway => process.kill(gateway, 'SIGKILL'))
  const told: string[] = []
  let started: (pid: number) => void = () => {}
  const nextStart = () =>
    new Promise<number>(resolve => {
      started = resolve
    })
  await using asterisk = prepare(settings, {
    onDied: reason => told.push(reason),
    onStarted: ({ pid }) => started(pid),
  })
  await asterisk.start()
  const pids = [first]
  for (let life = 0; life < 2; life++) {
    const again = nextStart()
    process.kill(asterisk.pid ?? 0, 'SIGKILL')
    pids.push(await again)
  }
  expect(new Set(pids).size).toBe(3)
  expect(told).toEqual([
    expect.stringContaining(`process ${first}) ended by itself`),
    expect.stringContaining(`process ${pids[1]}) ended by itself`),
  ])
  expect(pidIn(settings.pidFile)).toBe(pids[2])
  expect((await new TestAri(settings).request('GET', '/channels')).status).toBe(200)
})

test.concurrent('a taken port is told with its setting and its holder', async () => {
  const settings = await testSettings()
  const holder = createServer().listen(settings.tcpPort, '127.0.0.1')
  await once(holder, 'listening')
  await using asterisk = prepare(settings)
  await expect(asterisk.start()).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringMatching(
      new RegExp(`TCP port ${settings.tcpPort} .*\\(SIP_TCP_PORT\\) is taken by process ${process.pid} \\(`),
    ),
  })
  holder.close()
})

test.concurrent("a stale record that names another's process is passed over and the process left alone", async () => {
  const settings = await testSettings()
  const stranger = spawn('sleep', ['60'])
  const pid = stranger.pid ?? 0
  await mkdir(settings.directory, { recursive: true })
  await writeFile(settings.pidFile, `${pid}\n`)
  await writeFile(
    join(settings.directory, 'process.json'),
    JSON.stringify({ pid, startedTicks: startedTicks(pid), mark: '' }),
  )
  await using asterisk = prepare(settings)
  await asterisk.start()
  expect(asterisk.pid).not.toBe(pid)
  expect(startedTicks(pid)).toBeDefined()
  stranger.kill()
})

test.concurrent('one that ends at once is told with its own last words, and leaves nothing', async () => {
  const settings = await testSettings()
  await using broken = prepare(settings, {}, { ...program, moduleDirectory: '/nonexistent' })
  await expect(broken.start()).rejects.toMatchObject({
    code: 'ASTERISK_FAILED',
    message: expect.stringMatching(/ended with code 2[\s\S]*Failed to load module func_uri\.so/),
  })
  expect(existsSync(settings.pidFile)).toBe(false)
})

test.concurrent('a folder that cannot be written is told as such', async () => {
  const settings = await testSettings()
  await writeFile(settings.directory, 'a file')
  await using asterisk = prepare(settings)
  await expect(asterisk.start()).rejects.toMatchObject({
    code: 'STATE_UNWRITABLE',
    message: expect.stringContaining(settings.directory),
  })
})

test.concurrent('stopped while it starts, it leaves nothing', async () => {
  const settings = await testSettings()
  await using asterisk = prepare(settings)
  const start = asterisk.start()
  start.catch(() => {})
  await asterisk.stop()
  await expect(start).rejects.toMatchObject({ code: 'ASTERISK_FAILED' })
  expect(existsSync(settings.pidFile)).toBe(false)
  await expect(fetch(`http://127.0.0.1:${settings.ari.port}`)).rejects.toThrow()
})

test.concurrent('a frozen one is ended by force', async () => {
  await using running = await startTestAsterisk()
  const pid = running.asterisk.pid ?? 0
  process.kill(pid, 'SIGSTOP')
  await running.asterisk.stop()
  expect(startedTicks(pid)).toBeUndefined()
})

test.concurrent('a path too long for a control socket is no obstacle', async () => {
  const settings = await testSettings()
  const deep = { ...settings, directory: join(settings.directory, 'd'.repeat(120), 'asterisk') }
  await using asterisk = prepare(deep)
  await asterisk.start()
  const place = { program, settings: deep, clock: systemClock }
  expect(await askConsole(place, 'core show channels count')).toContain('0 active channels')
})
