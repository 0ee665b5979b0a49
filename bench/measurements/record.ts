import { every, pause, systemClock } from '../../src/clock.ts'
import { PostgresServer } from '../../test/support/postgres.ts'
import { House } from '../house/house.ts'
import { percentiles } from '../report/percentiles.ts'
import { figure, type Row } from '../report/row.ts'
import { carryIn, spacingRow } from './load.ts'
import type { How, Measurement, Subject } from './measurement.ts'

const QUICK_SECONDS = 5
const SCRAPE_MS = 250
/** Once the calls are over. */
const CATCH_UP_MS = 10_000
const load = { calls: 150, seconds: 30, clickMs: 1_200, replyMs: 600, blocked: false, toldEach: 4 } as const

const method = `The 150 calls of above again, and each fourth reply is told as a turn of a conversation: what the caller said, two lines of
figures, what the agent said. That is a turn every ${(load.toldEach * load.clickMs) / 1_000} s of each call, as people take them. All of it goes through the
journal into the database, once the embedded one and once a PostgreSQL server on the same two cores. The spacing has the goal that
it has without.

**Behind** is how long the oldest event waits that is on the disk and not in the database yet, as \`/metrics\` tells it (told too
long rather than too short), looked at every ${SCRAPE_MS} ms. **The main thread's lateness** is how late a timer of 10 ms is there.`

export const record: Subject = {
  title: 'The record of 150 calls',
  method,
  measurements: [measurement('record-embedded', 'the embedded database'), measurement('record-server', 'a server')],
}

function measurement(name: string, database: string): Measurement {
  return {
    name,
    async run(how) {
      if (name === 'record-embedded') return rows(database, {}, how)
      await using server = await PostgresServer.start()
      return await rows(database, { DATABASE_URL: server.url }, how)
    },
  }
}

async function rows(database: string, environment: Readonly<Record<string, string>>, how: How): Promise<Row[]> {
  await using house = await House.open({ environment })
  const behindMs: number[] = []
  const stopLooking = every(systemClock, SCRAPE_MS, async () => {
    behindMs.push(1_000 * ((await metrics(house))['parley_journal_waiting_seconds'] ?? Number.NaN))
  })
  await house.gateway.ask('watchLoop')
  const seconds = how.quick ? QUICK_SECONDS : load.seconds
  const figures = await carryIn(house, { ...load, seconds }, how)
  const lateMs = percentiles(await house.gateway.ask('loopLateMs'))
  stopLooking()
  await pause(systemClock, CATCH_UP_MS)
  const after = await metrics(house)
  const behind = percentiles(behindMs)
  return [
    spacingRow(figures, `, every turn kept by ${database}`),
    {
      subject: `what ${database} keeps of 150 calls`,
      checks: [
        { name: 'behind p99', value: behind.p99, most: 1_000, unit: 'ms' },
        {
          name: `bytes not kept ${CATCH_UP_MS / 1_000} s after`,
          value: after['parley_journal_waiting_bytes']!,
          most: 0,
        },
        { name: 'events lost', value: after['parley_journal_shed_events_total']!, most: 0 },
      ],
      notes: [
        `${figure(after['parley_journal_written_events_total']!)} events`,
        `behind p50 ${figure(behind.p50)} ms, max ${figure(behind.max)} ms`,
        `the main thread's lateness p50 ${figure(lateMs.p50)} ms, p99 ${figure(lateMs.p99)} ms, max ${figure(lateMs.max)} ms`,
      ],
      conditions: figures.conditions,
    },
  ]
}

async function metrics(house: House): Promise<Record<string, number>> {
  const text = await house.api('/metrics')
  return Object.fromEntries(
    [...text.matchAll(/^(parley_journal\w+) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  )
}
