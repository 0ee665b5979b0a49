import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/** A process that is told to stop when this one ends, however that comes about: the kernel sees to it (`man 2 prctl`, PR_SET_PDEATHSIG). */
export function spawnTied(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'TERM', program, ...args], options)
}
