import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem, type } from 'node:os'

/** What was measured, where and when; the names are those of the table. */
export type Machine = Readonly<Record<string, string>>

const OWN_OUTPUT = 'docs/benchmarks.md'

export function describeMachine(asteriskVersion: string): Machine {
  const processors = cpus()
  return {
    processor: `${processors[0]?.model ?? 'unknown'}, ${processors.length} cores`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    system: `${type()} ${release()}`,
    Node: process.version,
    Asterisk: asteriskVersion,
    commit: commit(),
    date: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    'load before the start': (loadavg()[0] ?? 0).toFixed(2),
  }
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' })
  try {
    const head = git('rev-parse', '--short=12', 'HEAD').trim()
    const changed = git('status', '--porcelain')
      .split('\n')
      .filter(line => line !== '' && !line.endsWith(OWN_OUTPUT))
    return changed.length === 0 ? head : `${head} and ${changed.length} files changed since`
  } catch {
    // Without git, or without its folder: a copy of the project.
    return 'unknown'
  }
}
