import { testProgram } from '../test/support/asterisk.ts'

// Before the tests that need it, so that it is fetched once, with progress, and no test waits for it.
const { origin, version } = await testProgram()
console.log(`Asterisk ${version} (${origin})`)
