import { runSteps } from './steps.ts'

// What the README calls `npm test`: everything that must hold, in under four minutes.
await runSteps([
  ['unit and simulation', 'vitest', 'run', '--project', 'unit'],
  ['end to end on a real Asterisk', 'vitest', 'run', '--project', 'e2e'],
])
