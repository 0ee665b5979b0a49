import { openCallers } from '../test/corpus/voices.ts'

// Before the tests that need it, so that it is fetched once, with progress, and no test waits for it.
await openCallers()
console.log('The agent and the callers of the tests can speak.')
