import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { systemClock, within } from '../src/clock.ts'
import { testProgram } from '../test/support/asterisk.ts'
import { calls } from './measurements/calls.ts'
import { jobs } from './measurements/jobs.ts'
import { pages } from './measurements/pages.ts'
import { realtime } from './measurements/realtime.ts'
import { record } from './measurements/record.ts'
import { recordings } from './measurements/recordings.ts'
import { shortCalls } from './measurements/short-calls.ts'
import { silencing } from './measurements/silencing.ts'
import { start } from './measurements/start.ts'
import { transfers } from './measurements/transfers.ts'
import { understanding } from './measurements/understanding.ts'
import { voice } from './measurements/voice.ts'
import { webhooks } from './measurements/webhooks.ts'
import { document, rowText, type Section } from './report/document.ts'
import { describeMachine } from './report/machine.ts'
import { type Row, verdictOf } from './report/row.ts'

/**
 * `npm run bench`: measures all of it, writes docs/benchmarks.md, and ends with 1 when a goal is missed.
 * While one works on it: `npm run bench -- --only calls-50 --quick` prints, and leaves the document alone.
 */

const FILE = new URL('../docs/benchmarks.md', import.meta.url)
/** Something hangs: what was started ends with this process. */
const LONGEST_MS = 5 * 60_000
const subjects = [
  start,
  calls,
  record,
  recordings,
  jobs,
  silencing,
  shortCalls,
  transfers,
  webhooks,
  voice,
  understanding,
  realtime,
  pages,
]

const { only = [], quick } = parseArgs({
  options: { only: { type: 'string', multiple: true }, quick: { type: 'boolean', default: false } },
}).values
const names = subjects.flatMap(subject => subject.measurements.map(({ name }) => name))
const unknown = only.filter(name => !names.includes(name))
if (unknown.length > 0) {
  console.error(`bench: no measurement is called ${unknown.join(', ')}; there are ${names.join(', ')}`)
  process.exit(1)
}

// What was started ends with this process; what ended it is said.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    console.error(`bench: ended by ${signal}; nothing is written.`)
    process.exit(1)
  })
}
const progress = (text: string) => console.error(`bench: ${text} ...`)
const machine = describeMachine((await testProgram()).version)
const sections: Section[] = []
for (const { title, method, measurements } of subjects) {
  const rows: Row[] = []
  for (const { name, run } of measurements) {
    if (only.length > 0 && !only.includes(name)) continue
    const late = () => new Error(`${name} was not over after ${LONGEST_MS} ms`)
    for (const row of await within(systemClock, LONGEST_MS, run({ quick, progress }), late)) {
      console.log(rowText(row))
      rows.push(row)
    }
  }
  sections.push({ title, method, rows })
}

const complete = only.length === 0 && !quick
if (complete) writeFileSync(FILE, `${document('npm run bench', machine, sections)}\n`)
const missed = sections.flatMap(({ rows }) => rows).filter(row => verdictOf(row) === 'MISSED')
console.log(complete ? 'docs/benchmarks.md is written.' : 'Nothing is written: this was not the whole run.')
process.exit(missed.length > 0 ? 1 : 0)
