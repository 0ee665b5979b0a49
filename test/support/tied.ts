import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/** A process that is told to stop when this one ends, however that comes about: the kernel sees to it (`man 2 prctl`, PR_SET_PDEATHSIG). */
export function spawnTied(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const env = options.env && { ...compiledModules(), ...options.env }
  return spawn('setpriv', ['--pdeathsig', 'TERM', program, ...args], { ...options, ...(env && { env }) })
}

/** Names it for the processes of a test run. */
export const compiledFolder = 'PARLEY_TEST_COMPILED'

/** For programs that are given an environment of their own: where they find modules that were compiled before. */
export function compiledModules(): Readonly<Record<string, string>> {
  const folder = process.env[compiledFolder]
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder }
}
