// A gateway of which only the end matters: it starts an Asterisk, says so, and waits to be killed.
import { asteriskProcess } from '../../support/asterisk.ts'

const { program, settings } = JSON.parse(process.argv[2] ?? '')
const asterisk = asteriskProcess(program, settings)
await asterisk.start()
console.log('started')
setInterval(() => {}, 60_000)
