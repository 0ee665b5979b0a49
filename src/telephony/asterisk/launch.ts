import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pause } from '../../clock.ts'
import { onDisk } from '../../debian/disk.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { askConsole, type Place, runDirectory } from './console.ts'
import {
  configurationFile,
  endProcess,
  forgetInstance,
  type Instance,
  recordInstance,
  startedTicks,
} from './instance.ts'
import { layFolders, logFile, outputFile } from './layout.ts'
import type { AsteriskSettings } from './settings.ts'

export interface Launched {
  readonly instance: Instance
  readonly child: ChildProcess
}

/** Writes the configuration and starts an Asterisk with it; settles when it takes calls. */
export async function launch(
  place: Place,
  rendered: ReadonlyMap<string, string>,
  mark: string,
  signal: AbortSignal,
): Promise<Launched> {
  const { settings, clock } = place
  await onDisk(settings.directory, () => layFolders(settings.directory, rendered))
  signal.throwIfAborted()
  const child = spawnAsterisk(place)
  const exited = new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, name) => resolve(name ? `it was ended by ${name}` : `it ended with code ${code}`))
  })
  const ticks = child.pid === undefined ? undefined : startedTicks(child.pid)
  if (child.pid === undefined || ticks === undefined) throw await failed(settings, await exited)
  const instance = { pid: child.pid, startedTicks: ticks, mark }
  try {
    await onDisk(settings.directory, () => recordInstance(settings, instance))
    const ended = exited.then(async reason => {
      throw await failed(settings, reason)
    })
    await Promise.race([ended, becomeReady(place, signal)])
    return { instance, child }
  } catch (error) {
    await endProcess(instance, clock, limits.asterisk.stopMs)
    await forgetInstance(settings)
    throw error
  }
}

/**
 * In a session of its own, so that Ctrl-C in the terminal ends the gateway and not the calls, and with its output in a
 * file, so that it outlives the gateway. It inherits nothing of the environment: the gateway's secrets stand there.
 */
function spawnAsterisk({ program, settings }: Place): ChildProcess {
  const output = openSync(outputFile(settings.directory), 'w', 0o600)
  const asterisk = [...program.command, '-C', configurationFile(settings.directory), '-f']
  const child = spawn('/bin/sh', ['-c', 'umask 077; exec "$@"', 'sh', ...asterisk], {
    cwd: runDirectory(settings),
    detached: true,
    stdio: ['ignore', output, output],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
  })
  closeSync(output)
  child.unref()
  return child
}

async function becomeReady(place: Place, signal: AbortSignal): Promise<void> {
  const { settings, clock } = place
  const startedMs = clock.now()
  while (!(await answersAri(settings))) {
    if (clock.now() - startedMs > limits.asterisk.bootMs) {
      throw await failed(settings, `it did not become ready within ${limits.asterisk.bootMs / 1_000} s`)
    }
    await pause(clock, 30, signal)
  }
  // It goes on without what it could not read or open: a transport, or the access list, which would let everybody in.
  const transports = await askConsole(place, 'pjsip show transports')
  const wanted = ['transport-tcp', 'transport-udp', ...(settings.tls ? ['transport-tls'] : [])]
  const missing = wanted.find(name => !transports?.includes(name))
  if (missing) throw await failed(settings, `it did not open ${missing}`)
  const log = await readFile(logFile(settings.directory), 'utf8')
  if (log.includes('Could not create an object of type'))
    throw await failed(settings, 'it could not read all of pjsip.conf')
}

/** True only for an Asterisk with this very password, once it has loaded all. */
export async function answersAri({ ari }: AsteriskSettings): Promise<boolean> {
  const authorization = `Basic ${Buffer.from(`${ari.username}:${ari.password}`).toString('base64')}`
  try {
    const reply = await fetch(`http://127.0.0.1:${ari.port}/ari/asterisk/ping`, {
      headers: { authorization, connection: 'close' },
      signal: AbortSignal.timeout(limits.ari.requestMs),
    })
    await reply.arrayBuffer()
    return reply.status === 200
  } catch {
    return false
  }
}

async function failed(settings: AsteriskSettings, reason: string): Promise<GatewayError> {
  return new GatewayError('ASTERISK_FAILED', `Asterisk did not start: ${reason}.${await lastWords(settings)}`)
}

/** What it said last about its own failure. */
async function lastWords(settings: AsteriskSettings): Promise<string> {
  const read = (file: string) => readFile(file, 'utf8').catch(() => '')
  const errors = (await read(logFile(settings.directory))).split('\n').filter(line => line.includes('ERROR['))
  const output = (await read(outputFile(settings.directory))).trimEnd().split('\n')
  const lines = [...new Set([...output.slice(-5), ...errors.slice(-5)])].filter(Boolean)
  return lines.length === 0 ? '' : ` It said:\n${lines.map(line => `  ${line}`).join('\n')}`
}
