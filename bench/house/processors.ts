import { readdirSync, readFileSync } from 'node:fs'
import type { Conditions } from '../report/row.ts'

export interface Watched {
  readonly pid: number
  /** Only the thread of this name. */
  readonly thread?: string
  /** Part of another one that is watched. */
  readonly within?: true
}

export type Usage = Pick<Conditions, 'cpu' | 'othersCpu' | 'steal'> & {
  /** In percent of all cores. */
  readonly busy: number
}

/** The kernel's unit of processor time: USER_HZ, 100 a second on every platform that Linux runs on today. */
const TICKS_A_SECOND = 100

interface Snapshot {
  readonly machine: MachineTicks
  readonly processes: Readonly<Record<string, number>>
}

interface MachineTicks {
  readonly busy: number
  readonly stolen: number
  readonly all: number
}

/** Reads how much processor time everyone took from now until the returned function is called. */
export function watchProcessors(watched: Readonly<Record<string, Watched>>): () => Usage {
  const before = snapshot(watched)
  const startedMs = performance.now()
  return () => {
    const after = snapshot(watched)
    const seconds = (performance.now() - startedMs) / 1_000
    const share = (ticks: number) => (100 * ticks) / TICKS_A_SECOND / seconds
    const cpu = Object.fromEntries(
      Object.keys(watched).map(name => [name, share((after.processes[name] ?? 0) - (before.processes[name] ?? 0))]),
    )
    const own = Object.entries(watched).reduce((sum, [name, { within }]) => sum + (within ? 0 : (cpu[name] ?? 0)), 0)
    const all = after.machine.all - before.machine.all
    return {
      cpu,
      busy: (100 * (after.machine.busy - before.machine.busy)) / all,
      othersCpu: Math.max(0, share(after.machine.busy - before.machine.busy) - own),
      steal: (100 * (after.machine.stolen - before.machine.stolen)) / all,
    }
  }
}

function snapshot(watched: Readonly<Record<string, Watched>>): Snapshot {
  const processes = Object.entries(watched).map(([name, each]) => [name, ticksOf(each)])
  return { machine: machineTicks(readFileSync('/proc/stat', 'utf8')), processes: Object.fromEntries(processes) }
}

function ticksOf({ pid, thread }: Watched): number {
  if (thread === undefined) return processTicks(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  const stats = readdirSync(`/proc/${pid}/task`).map(id => readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8'))
  return stats.filter(stat => stat.includes(`(${thread})`)).reduce((sum, stat) => sum + processTicks(stat), 0)
}

/** proc_pid_stat(5): utime and stime, the 14th and 15th field; the second, the name, may hold blanks. */
export function processTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** proc_stat(5), first line: user nice system idle iowait irq softirq steal. */
export function machineTicks(stat: string): MachineTicks {
  const [line = ''] = stat.split('\n')
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, stolen = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  const busy = user + nice + system + irq + softirq
  return { busy, stolen, all: busy + idle + waiting + stolen }
}
