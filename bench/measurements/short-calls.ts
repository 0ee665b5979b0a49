import { pause, systemClock } from '../../src/clock.ts'
import { House } from '../house/house.ts'
import { percentiles } from '../report/percentiles.ts'
import { figure, type Row } from '../report/row.ts'
import type { How, Subject } from './measurement.ts'

const AT_ONCE = 25
const WARM_UP = 200
const COUNT = 1_000
const REPLY_MS = 100
/** Within it what is left of the last calls goes: connections kept for further requests, timers of these. */
const READINGS = 25
const BETWEEN_READINGS_MS = 300
const MB = 1e6

const method = `${WARM_UP} calls to warm up, then ${COUNT.toLocaleString('en')} more, ${AT_ONCE} at a time on one TCP
connection, as a trunk places them, the first ones within a second: each answered by an agent that is ready at once, up for 0.5 to 1 s, hung up by the caller.
Set-up is the time from the INVITE leaving to the 200 arriving. What the ${COUNT.toLocaleString('en')} calls have added is
read from the gateway itself after a forced collection, the least of ${READINGS} readings within
${(READINGS * BETWEEN_READINGS_MS) / 1_000} s, for a connection that waits for another request is no leak; channels and bridges
by the operator's API from Asterisk.`

export const shortCalls: Subject = {
  title: 'Many short calls',
  method,
  measurements: [{ name: 'short-calls', run }],
}

/** All that calls could leave behind. */
type Left = Readonly<Record<keyof Awaited<ReturnType<typeof read>>, number>>

async function run({ quick, progress }: How): Promise<Row[]> {
  await using house = await House.open()
  const dialling = {
    sipPort: house.sipPort,
    replyMs: REPLY_MS,
    atOnce: AT_ONCE,
  }
  const place = (count: number) =>
    house.during(echoPort => house.caller.ask('placeShortCalls', { ...dialling, count, echoPort }))
  progress(`${WARM_UP} calls to warm up`)
  await place(WARM_UP)
  const before = await whatIsLeft(house)
  const count = quick ? COUNT / 10 : COUNT
  progress(`${count} short calls`)
  const { talk: placed, conditions } = await place(count)
  const after = await whatIsLeft(house)
  const setUp = percentiles(placed.setUpMs)
  return [
    {
      subject: `INVITE to 200 OK, ${AT_ONCE} calls at a time`,
      checks: [
        { name: 'p95', value: setUp.p95, most: 50, below: true, unit: 'ms' },
        { name: 'calls that failed', value: placed.failures.length, most: 0 },
      ],
      notes: [
        `p50 ${figure(setUp.p50)} ms, p99 ${figure(setUp.p99)} ms, max ${figure(setUp.max)} ms`,
        ...new Set(placed.failures.slice(0, 3)),
      ],
      conditions,
    },
    leakRow(count, before, after),
  ]
}

function leakRow(count: number, before: Left, after: Left): Row {
  const added = (name: keyof Left) => after[name] - before[name]
  const none = (name: string, value: number) => ({ name, value, most: 0 })
  return {
    subject: `added by ${count.toLocaleString('en')} calls`,
    checks: [
      { name: 'heap', value: added('heapBytes') / MB, most: 2, below: true, unit: 'MB' },
      { name: 'RSS', value: added('rssBytes') / MB, most: 15, below: true, unit: 'MB' },
      none('descriptors', added('descriptors')),
      none('timers', added('timers')),
      none('lines with their ports', added('lines')),
      none('channels of Asterisk', added('channels')),
      none('bridges of Asterisk', added('bridges')),
      none('descriptors of Asterisk', added('asteriskDescriptors')),
    ],
    notes: [
      `in all heap ${figure(after.heapBytes / MB)} MB, the media thread's ${figure(after.mediaHeapBytes / MB)} MB, ` +
        `RSS ${figure(after.rssBytes / MB)} MB, ${after.descriptors} descriptors, ${after.timers} timers`,
    ],
    conditions: undefined,
  }
}

/** Of each the least of some readings: what is on its way out is no leak. */
async function whatIsLeft(house: House): Promise<Left> {
  let least = await read(house)
  for (let count = 1; count < READINGS; count++) {
    await pause(systemClock, BETWEEN_READINGS_MS)
    least = leastOf(least, await read(house))
  }
  return least
}

function leastOf<Name extends string>(a: Record<Name, number>, b: Record<Name, number>): Record<Name, number> {
  const names = Object.keys(a) as Name[]
  return Object.fromEntries(names.map(name => [name, Math.min(a[name], b[name])])) as Record<Name, number>
}

async function read(house: House) {
  const metrics = await house.api('/metrics')
  const { channels, bridges } = JSON.parse(await house.api('/v1/channels'))
  return {
    ...(await house.gateway.ask('usage')),
    lines: Number(/^parley_media_lines (\d+)$/m.exec(metrics)?.[1]),
    channels: Number(channels.length),
    bridges: Number(bridges.length),
    asteriskDescriptors: await house.asteriskDescriptors(),
  }
}
