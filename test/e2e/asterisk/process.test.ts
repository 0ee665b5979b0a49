import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { askConsole } from '../../../src/telephony/asterisk/console.ts'
import { startedTicks } from '../../../src/telephony/asterisk/instance.ts'
import type { AsteriskProcess } from '../../../src/telephony/asterisk/process.ts'
import type { AsteriskSettings } from '../../../src/telephony/asterisk/settings.ts'
import { asteriskProcess, startTestAsterisk, testProgram, testSettings } from '../../support/asterisk.ts'
import { TestAri } from './ari.ts'
import { rawCall } from './raw-call.ts'

const program = await testProgram()
const used: { asterisk: AsteriskProcess; settings: AsteriskSettings }[] = []

/** An Asterisk that the test starts itself; stopped after it, whatever became of it. */
function prepare(settings: AsteriskSettings, listeners: Parameters<typeof asteriskProcess>[2] = {}): AsteriskProcess {
  const asterisk = asteriskProcess(program, settings, listeners)
  used.push({ asterisk, settings })
  return asterisk
}

afterEach(async () => {
  for (const { asterisk, settings } of used.splice(0)) {
    await asterisk.stop()
    await rm(join(settings.directory, '..'), { recursive: true, force: true })
  }
})

function pidIn(file: string): number {
  return Number(readFileSync(file, 'utf8'))
}

async function killedGateway(settings: AsteriskSettings, end: (pid: number) => void): Promise<number> {
  const script = join(import.meta.dirname, 'short-lived-gateway.ts')
  const gateway = spawn(process.execPath, [script, JSON.stringify({ program, settings })], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  await once(gateway.stdout, 'data')
  end(gateway.pid ?? 0)
  await once(gateway, 'exit')
  return pidIn(settings.pidFile)
}

test('two run side by side; each answers to its own password only; a stop leaves nothing', async () => {
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

test('what it starts without is no error to it, and nobody else can read what it writes', async () => {
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

test.each([
  ['kill -9 of the gateway', (pid: number) => process.kill(pid, 'SIGKILL')],
  ['Ctrl-C in its terminal', (pid: number) => process.kill(-pid, 'SIGINT')],
])('after %s it goes on, and the next start adopts it', async (_, end) => {
  const settings = await testSettings()
  const pid = await killedGateway(settings, end)
  expect(startedTicks(pid)).toBeDefined()
  expect((await rawCall({ port: settings.tcpPort, user: 'nobody' })).status).toBe(404)
  const started: { pid: number; adopted: boolean }[] = []
  const asterisk = prepare(settings, { onStarted: each => started.push(each) })
  await asterisk.start()
  expect(started).toEqual([{ pid, adopted: true }])
  await asterisk.stop()
  expect(startedTicks(pid)).toBeUndefined()
})

test('one with another configuration is restarted when its calls have ended', async () => {
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
  const asterisk = prepare({ ...settings, maxCalls: 7 }, { progress: () => toldToWait() })
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

test('killed, it is told and started again; an adopted one too', async () => {
  const settings = await testSettings()
  const first = await killedGateway(settings, gateway => process.kill(gateway, 'SIGKILL'))
  const told: string[] = []
  let started: (pid: number) => void = () => {}
  const nextStart = () =>
    new Promise<number>(resolve => {
      started = resolve
    })
  const asterisk = prepare(settings, { onDied: reason => told.push(reason), onStarted: ({ pid }) => started(pid) })
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

test('a taken port is told with its setting and its holder', async () => {
  const settings = await testSettings()
  const holder = createServer().listen(settings.tcpPort, '127.0.0.1')
  await once(holder, 'listening')
  await expect(prepare(settings).start()).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringMatching(
      new RegExp(`TCP port ${settings.tcpPort} .*\\(SIP_TCP_PORT\\) is taken by process ${process.pid} \\(`),
    ),
  })
  holder.close()
})

test("a stale record that names another's process is passed over and the process left alone", async () => {
  const settings = await testSettings()
  const stranger = spawn('sleep', ['60'])
  const pid = stranger.pid ?? 0
  await mkdir(settings.directory, { recursive: true })
  await writeFile(settings.pidFile, `${pid}\n`)
  await writeFile(
    join(settings.directory, 'process.json'),
    JSON.stringify({ pid, startedTicks: startedTicks(pid), mark: '' }),
  )
  const asterisk = prepare(settings)
  await asterisk.start()
  expect(asterisk.pid).not.toBe(pid)
  expect(startedTicks(pid)).toBeDefined()
  stranger.kill()
})

test('one that ends at once is told with its own last words, and leaves nothing', async () => {
  const settings = await testSettings()
  const broken = asteriskProcess({ ...program, moduleDirectory: '/nonexistent' }, settings)
  await expect(broken.start()).rejects.toMatchObject({
    code: 'ASTERISK_FAILED',
    message: expect.stringMatching(/ended with code 2[\s\S]*Failed to load module func_uri\.so/),
  })
  expect(existsSync(settings.pidFile)).toBe(false)
  await rm(join(settings.directory, '..'), { recursive: true })
})

test('a folder that cannot be written is told as such', async () => {
  const settings = await testSettings()
  await writeFile(settings.directory, 'a file')
  await expect(prepare(settings).start()).rejects.toMatchObject({
    code: 'STATE_UNWRITABLE',
    message: expect.stringContaining(settings.directory),
  })
})

test('stopped while it starts, it leaves nothing', async () => {
  const settings = await testSettings()
  const asterisk = prepare(settings)
  const start = asterisk.start()
  start.catch(() => {})
  await asterisk.stop()
  await expect(start).rejects.toMatchObject({ code: 'ASTERISK_FAILED' })
  expect(existsSync(settings.pidFile)).toBe(false)
  await expect(fetch(`http://127.0.0.1:${settings.ari.port}`)).rejects.toThrow()
})

test('a frozen one is ended by force', async () => {
  await using running = await startTestAsterisk()
  const pid = running.asterisk.pid ?? 0
  process.kill(pid, 'SIGSTOP')
  await running.asterisk.stop()
  expect(startedTicks(pid)).toBeUndefined()
})

test('a path too long for a control socket is no obstacle', async () => {
  const settings = await testSettings()
  const deep = { ...settings, directory: join(settings.directory, 'd'.repeat(120), 'asterisk') }
  const asterisk = prepare(deep)
  await asterisk.start()
  const place = { program, settings: deep, clock: systemClock }
  expect(await askConsole(place, 'core show channels count')).toContain('0 active channels')
  await asterisk.stop()
  await rm(join(settings.directory, '..'), { recursive: true })
})
