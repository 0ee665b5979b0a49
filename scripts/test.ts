import { runSteps } from './steps.ts'

// What the README calls `npm test`: everything that must hold, in under four minutes.
await runSteps([
  ['unit and simulation', 'vitest', 'run', '--project', 'unit'],
  ['Asterisk for the tests', 'node', 'scripts/fetch-asterisk.ts'],
  ['speech software for the tests', 'node', 'scripts/fetch-speech.ts'],
  ['end to end on a real Asterisk', 'vitest', 'run', '--project', 'e2e'],
])
