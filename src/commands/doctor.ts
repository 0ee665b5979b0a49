import { parseArgs } from 'node:util'
import { asError } from '../errors.ts'
import { examine } from './doctor/examine.ts'
import { countsOf, reportLines } from './doctor/report.ts'

const usage = `Looks at this machine and the settings, and says what is wrong and what to do. It changes nothing.

  npm run doctor -- [--json]

  --json      the findings as JSON

It ends with 1 when there is an error, else with 0.`

await main().catch(error => {
  console.error(`doctor: ${asError(error).message}`)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ options: { json: flag, help: flag } })
  if (values.help) return console.log(usage)
  const findings = await examine(process.cwd(), process.env)
  const counts = countsOf(findings)
  console.log(values.json ? JSON.stringify({ findings, counts }, null, 2) : reportLines(findings).join('\n'))
  process.exitCode = counts.error > 0 ? 1 : 0
}
