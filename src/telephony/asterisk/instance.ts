import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, pause } from '../../clock.ts'
import type { AsteriskSettings } from './settings.ts'

/** A process that was started as Asterisk, written down so that the gateway's next life finds it. */
export interface Instance {
  readonly pid: number
  /** When it began, in the kernel's own count: tells it from a later process with the same id. */
  readonly startedTicks: string
  /** Of the configuration it runs with. */
  readonly mark: string
}

export function configurationFile(directory: string): string {
  return join(directory, 'etc/asterisk.conf')
}

/** Undefined when there is no such process, or it has ended and nobody has collected it. */
export function startedTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything; state is the first field after it, the start time the twentieth.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // While other threads are still ending, the ports are still open: only the last one closes them.
    const ended = /[ZX]/.test(fields[0] ?? '') && readdirSync(`/proc/${pid}/task`).length <= 1
    return ended ? undefined : fields[19]
  } catch {
    return undefined
  }
}

export function isAlive(instance: Pick<Instance, 'pid' | 'startedTicks'>): boolean {
  return startedTicks(instance.pid) === instance.startedTicks
}

/** The Asterisk that an earlier life of the gateway left running; a stale record or another's process is none. */
export async function findInstance(directory: string): Promise<Instance | undefined> {
  if (!existsSync(recordFile(directory))) return undefined
  try {
    const instance: Instance = JSON.parse(await readFile(recordFile(directory), 'utf8'))
    if (!Number.isInteger(instance.pid) || instance.pid < 2 || !isAlive(instance)) return undefined
    const commandLine = readFileSync(`/proc/${instance.pid}/cmdline`, 'utf8').split('\0')
    return commandLine.includes(configurationFile(directory)) ? instance : undefined
  } catch {
    return undefined
  }
}

export async function recordInstance(settings: AsteriskSettings, instance: Instance): Promise<void> {
  await writeFile(recordFile(settings.directory), JSON.stringify(instance), { mode: 0o600 })
  await writeFile(settings.pidFile, `${instance.pid}\n`)
}

export async function forgetInstance(settings: AsteriskSettings): Promise<void> {
  await rm(settings.pidFile, { force: true })
  await rm(recordFile(settings.directory), { force: true })
}

/** Ends a process and whatever it started: asked first, then by force. Settles when it is gone. */
export async function endProcess(
  instance: Pick<Instance, 'pid' | 'startedTicks'>,
  clock: Clock,
  graceMs: number,
): Promise<void> {
  if (!isAlive(instance)) return
  signal(instance.pid, 'SIGTERM')
  for (let waitedMs = 0; waitedMs < graceMs && isAlive(instance); waitedMs += 20) await pause(clock, 20)
  signal(-instance.pid, 'SIGKILL')
  for (let waitedMs = 0; waitedMs < graceMs && isAlive(instance); waitedMs += 20) await pause(clock, 20)
}

/** A process that has ended in the meantime needs no signal. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {}
}

function recordFile(directory: string): string {
  return join(directory, 'process.json')
}
