import { parseArgs } from 'node:util'
import { simulate } from './simulate.ts'

/** `npm run test:sim -- --seed N --calls M` */
const { values } = parseArgs({
  options: { seed: { type: 'string' }, calls: { type: 'string' }, log: { type: 'boolean' } },
})
const seed = Number(values.seed ?? 1)
const calls = Number(values.calls ?? 500)
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(calls) || calls < 1) {
  console.error('--seed and --calls must be whole numbers, such as: npm run test:sim -- --seed 7 --calls 100')
  process.exit(1)
}

const startMs = performance.now()
const { log, problems, figures, virtualMs } = await simulate(seed, calls)
const seconds = (performance.now() - startMs) / 1_000
console.log(
  `seed ${seed}, ${calls} calls, ${Math.round(virtualMs / 1_000)} s of virtual time in ${seconds.toFixed(1)} s`,
)
for (const [name, count] of Object.entries(figures)) console.log(`  ${name}: ${count}`)
if (values.log) for (const line of log) console.log(line)
if (problems.length > 0) {
  const first = /, (\S+):/.exec(problems[0]!)?.[1]
  console.log(`\n${problems.length} problems:`)
  for (const problem of problems.slice(0, 40)) console.log(`  ${problem}`)
  console.log(`\nThe log of ${first}:`)
  for (const line of log) if (line.split(' ')[1] === first) console.log(line)
  process.exitCode = 1
}
