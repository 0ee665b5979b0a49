import { runSteps } from './steps.ts'

// The exhaustive form of what `npm test` samples; minutes, not seconds.
process.env['PARLEY_SOAK'] = '1'
process.env['PARLEY_SEED'] ??= String(Date.now() % 1_000_000)
await runSteps([
  [
    'every way to leave at every step of the set-up',
    'vitest',
    'run',
    '--project',
    'e2e',
    'test/e2e/gateway/setup.test.ts',
  ],
  ['twenty calls of the local engine at once', 'vitest', 'run', '--project', 'e2e', 'test/e2e/gateway/local.test.ts'],
  [
    'a transfer injured at every one of its requests',
    'vitest',
    'run',
    'test/telephony/transfer-anywhere.test.ts',
    'test/e2e/telephony/transfer-anywhere.test.ts',
  ],
  ['realtime: cut at 51 places', 'vitest', 'run', '--project', 'e2e', 'test/e2e/gateway/realtime.test.ts'],
  [
    'connections that strangers hold, a full disk, a database that is set back, sessions that must be refreshed',
    'vitest',
    'run',
    '--project',
    'e2e',
    'test/e2e/soak',
  ],
  [`every property with inputs of the seed ${process.env['PARLEY_SEED']}`, 'vitest', 'run', '--project', 'unit'],
  ['the store: killed fifty times', 'vitest', 'run', '--project', 'e2e', 'test/e2e/store/killed.test.ts'],
  ['realtime: 70 minutes', 'vitest', 'run', '--project', 'unit', 'test/providers/openai/long-call.test.ts'],
  ...[1, 2, 3, 4, 5].map(seed => simulation(seed)),
])

function simulation(seed: number): readonly [string, ...string[]] {
  return [`simulation, seed ${seed}`, 'node', 'test/sim/run.ts', '--seed', String(seed), '--calls', '2000']
}
