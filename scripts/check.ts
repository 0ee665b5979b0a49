import { runSteps } from './steps.ts'

// The whole gate before anything lands; under two minutes.
await runSteps([
  ['types', 'tsc', '-p', '.'],
  ['lint and format', 'biome', 'check', '--error-on-warnings', '.'],
  ['dead code and unused dependencies', 'knip'],
  ['unit tests, import rules and tidiness', 'vitest', 'run', '--project', 'unit'],
])
