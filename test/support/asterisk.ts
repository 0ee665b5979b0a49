import { randomInt, randomUUID } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { acquireAsterisk } from '../../src/telephony/asterisk/acquire.ts'
import { readTrunkAddresses } from '../../src/telephony/asterisk/addresses.ts'
import { endProcess, findInstance, startedTicks } from '../../src/telephony/asterisk/instance.ts'
import { type AsteriskOptions, AsteriskProcess } from '../../src/telephony/asterisk/process.ts'
import type { AsteriskProgram } from '../../src/telephony/asterisk/program.ts'
import type { AsteriskSettings } from '../../src/telephony/asterisk/settings.ts'

export const cacheDirectory = join(import.meta.dirname, '../../.parley/asterisk')

/** Fetched once a machine; later calls take milliseconds. */
export function testProgram(): Promise<AsteriskProgram> {
  return acquireAsterisk({
    configured: process.env['ASTERISK'] ?? '',
    cacheDirectory,
    environment: process.env,
    clock: systemClock,
    progress: text => console.error(`asterisk: ${text}`),
  })
}

/** Settings of an instance of its own: folder, ports and name are used by no other on this machine. */
export async function testSettings(overrides: Partial<AsteriskSettings> = {}): Promise<AsteriskSettings> {
  await sweepTestAsterisks()
  const stateDirectory = await mkdtemp(join(tmpdir(), `parley-asterisk-${process.pid}-`))
  const [sip, ari] = await Promise.all([freePort(), freePort()])
  return {
    systemName: `test-${randomUUID().slice(0, 8)}`,
    directory: join(stateDirectory, 'asterisk'),
    pidFile: join(stateDirectory, 'asterisk.pid'),
    logsTo: 'messages.log',
    sipUser: 'bianca',
    bindAddress: '0.0.0.0',
    tcpPort: sip,
    udpPort: sip,
    rtp: rtpRange(),
    localNetworks: ['127.0.0.0/8'],
    allowedNetworks: ['127.0.0.1/32'],
    ari: { port: ari, username: 'parley', password: randomUUID(), app: 'parley' },
    destinations: {},
    maxCalls: 50,
    leaseSeconds: 15,
    silentCallerSeconds: 30,
    voicemailSeconds: 120,
    ...overrides,
  }
}

interface TestAsterisk extends AsyncDisposable {
  readonly settings: AsteriskSettings
  readonly program: AsteriskProgram
  readonly asterisk: AsteriskProcess
}

/** A running Asterisk; `await using` stops it and removes its folder. */
export async function startTestAsterisk(
  overrides: Partial<AsteriskSettings> = {},
  listeners: Partial<Pick<AsteriskOptions, 'trunk' | 'onDied' | 'onStarted' | 'progress'>> = {},
): Promise<TestAsterisk> {
  const [program, settings] = await Promise.all([testProgram(), testSettings(overrides)])
  const asterisk = asteriskProcess(program, settings, listeners)
  await asterisk.start()
  return {
    program,
    settings,
    asterisk,
    async [Symbol.asyncDispose]() {
      await asterisk.stop()
      await rm(dirname(settings.pidFile), { recursive: true, force: true })
    },
  }
}

export function asteriskProcess(
  program: AsteriskProgram,
  settings: AsteriskSettings,
  listeners: Partial<Pick<AsteriskOptions, 'trunk' | 'onDied' | 'onStarted' | 'progress'>> = {},
): AsteriskProcess {
  return new AsteriskProcess({
    program,
    settings,
    trunk: readTrunkAddresses(),
    clock: systemClock,
    random: () => 0.5,
    progress: () => {},
    onDied: () => {},
    onStarted: () => {},
    ...listeners,
  })
}

/** Ends what test runs that were killed have left, and removes its folders. */
async function sweepTestAsterisks(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid] = /^parley-asterisk-(\d+)-/.exec(name) ?? []
    if (!pid || startedTicks(Number(pid)) !== undefined) continue
    const stateDirectory = join(tmpdir(), name)
    const instance = await findInstance(join(stateDirectory, 'asterisk'))
    if (instance) await endProcess(instance, systemClock, 1_000)
    await rm(stateDirectory, { recursive: true, force: true })
  }
}

const PORT_SHARES = 20
const givenPorts = new Set<number>()

/**
 * Free just now for TCP and UDP. Chosen below the ports that the system hands out by itself, so that no socket of another
 * test comes between the choice and the use.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    // Whoever gets a port takes it later: no two of one process get the same, and of two processes at once hardly ever.
    const port = PORT_SHARES * randomInt(24_500 / PORT_SHARES, 32_000 / PORT_SHARES) + (process.pid % PORT_SHARES)
    if (givenPorts.has(port)) continue
    givenPorts.add(port)
    if ((await opens(createServer(), port)) && (await opens(createSocket('udp4'), port))) return port
  }
}

function opens(socket: Server | Socket, port: number): Promise<boolean> {
  return new Promise(resolve => {
    socket.once('error', () => resolve(false))
    socket.once('listening', () => socket.close(() => resolve(true)))
    if ('bind' in socket) socket.bind(port)
    else socket.listen(port)
  })
}

/** Instances that meet in a range share it, which works while it is not exhausted. */
function rtpRange() {
  const start = 10_400 + 800 * randomInt(17)
  return { start, end: start + 399 }
}
