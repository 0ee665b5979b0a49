import type { Manner } from '../conversation/turn-taker.ts'
import { measuredText, type Row, verdictOf } from '../report/row.ts'
import { bareRow } from './bare.ts'
import type { How, Measurement, Subject } from './measurement.ts'
import { type RealtimeFigures, RealtimeHouse } from './realtime-load.ts'
import { askedRow, callsText, costRow, LEAST_IDLE, pathRow, qualityRow, silencedRow } from './realtime-rows.ts'

const QUICK_SECONDS = 8
/** By then what runs often is compiled: a gateway runs for days. */
const WARM_UP_SECONDS = 12
const EXPECTED_CALLS = 80
const FIRST_STEP = 60
const STEP = 10
const MOST_CALLS = 150
const STEP_SECONDS = 8
/** More than this much of a voice is answered at once; of less a word must be known, which the double tells 80 ms later. */
const RULE = { interruptMs: 500, wordMs: 80 }

const usual: Manner = { voiceMs: [600, 600, 600, 300], replyMs: 2_000, waitMs: { least: 300, most: 3_200 } }
/** More turns of a single caller. */
const brief: Manner = { voiceMs: [600, 600, 600, 300], replyMs: 800, waitMs: { least: 200, most: 1_200 } }

const method = `Calls through the real Asterisk with the realtime engine as \`npm start\` runs it: callers, Asterisk, gateway and the double
of its provider (\`npm run fake-openai\`) each in a process of its own, all on the same cores. The double is as strict as ever, and
one complaint of it fails a row; only its ears are leaner: they hear a number that stands in every packet of a caller's voice,
instead of words. By it the stamps of both ends are put together; they are of the machine's one monotonic clock.

A caller speaks for 600 ms, every fourth time for 300, hears a reply of 2 s (a single caller 0.8 s), and speaks again at a
moment between 0.3 and 3.2 s after it began (0.2 and 1.2 s), so that more than half of the replies are interrupted. They do so for
${WARM_UP_SECONDS} s before anything is measured, until what runs often has been compiled.

**Media path of a turn**: from the last packet of the voice leaving the caller to the double having read its sound off the
connection, plus from the double handing over the reply's first sound to its first packet arriving at the caller. It is an
upper bound of the gateway's own: Asterisk is in it twice, four datagrams, the network stack, TLS on both sides, and whatever the
caller and the double are late themselves. Frames are not waited for: a packet is passed on as it comes, whole, and the
first frame of a reply leaves at once instead of at the next of the 20 ms ticks.

**speech_started to the agent's last packet**: from the double handing over that news to the last packet of the reply arriving
at the caller; 0 when none comes after it, which is the rule: packets are 20 ms apart and the news takes one or two.

**committed to response.create**: from the double handing over the first to the second having arrived: what it costs that the
gateway decides who is answered (docs/decisions/0009-realtime-turns.md).

**Capacity**: calls are added in steps of ${STEP} while all of this holds: spacing between two packets of one reply off 20 ms by no more
than 2 ms at p99, beyond what the caller itself is late; no frame missing; ${LEAST_IDLE} % of all cores idle; and both latencies within their
goals. A step that fails is measured once more before it counts, and is the last; there is none beyond ${MOST_CALLS} calls.

**Cost**: what 50 calls take more than none, a call, once without TLS and once with it. Beside it stands what the same packets
and messages cost a **bare program** of a few lines by the same libraries, which keeps no order, conceals nothing, can not be
interrupted, and writes nothing down.`

export const realtime: Subject = {
  title: 'The realtime engine',
  method,
  measurements: [
    latency('realtime-1', 1, brief, 50),
    latency('realtime-20', 20, usual, 20),
    { name: 'realtime-50', run: fiftyRows },
    { name: 'realtime-bare', run: async how => [await bareRow(how)] },
    { name: 'realtime-capacity', run: capacityRows },
  ],
}

function latency(name: string, calls: number, manner: Manner, seconds: number): Measurement {
  return {
    name,
    run: async how => {
      const figures = await carry({ calls, manner, tls: true, seconds }, how)
      return [pathRow(figures), silencedRow(figures)]
    },
  }
}

interface Load {
  readonly calls: number
  readonly manner: Manner
  readonly tls: boolean
  readonly seconds: number
}

async function carry({ calls, manner, tls, ...load }: Load, { quick, progress }: How): Promise<RealtimeFigures> {
  const seconds = quick ? QUICK_SECONDS : load.seconds
  progress(`${callsText({ calls, tls })}, ${seconds} s`)
  await using house = await RealtimeHouse.open(manner, tls)
  await house.add(calls)
  await warmUp(house, quick)
  return await house.talk(seconds)
}

async function warmUp(house: RealtimeHouse, quick: boolean): Promise<void> {
  if (!quick) await house.talk(WARM_UP_SECONDS)
}

async function fiftyRows(how: How): Promise<Row[]> {
  const load = { calls: 50, manner: usual, seconds: 20 }
  const plain = await carry({ ...load, tls: false }, how)
  const tls = await carry({ ...load, tls: true }, how)
  return [pathRow(plain), silencedRow(plain), pathRow(tls), silencedRow(tls), askedRow(tls, RULE), costRow(plain, tls)]
}

/** More calls, step by step, for as long as everything holds. */
async function capacityRows({ quick, progress }: How): Promise<Row[]> {
  await using house = await RealtimeHouse.open(usual, true)
  await house.add(FIRST_STEP - STEP)
  await warmUp(house, quick)
  const rows: Row[] = []
  let capacity = 0
  for (let calls = FIRST_STEP; calls <= MOST_CALLS; calls += STEP) {
    progress(callsText({ calls, tls: true }))
    await house.add(STEP)
    const row = await heldRow(house, quick ? QUICK_SECONDS : STEP_SECONDS)
    rows.push(row)
    if (verdictOf(row) === 'no goal') break
    capacity = calls
    if (quick && calls > FIRST_STEP) break
  }
  return [...rows, capacityRow(capacity)]
}

/** What fails twice does not hold any more: that is an end, and no goal that was missed. */
async function heldRow(house: RealtimeHouse, seconds: number): Promise<Row> {
  const first = qualityRow(await house.talk(seconds))
  if (verdictOf(first) === 'met') return first
  const second = qualityRow(await house.talk(seconds))
  return verdictOf(second) === 'met' ? second : beyond(second)
}

function beyond({ checks, notes, ...row }: Row): Row {
  const broken = checks.filter(check => verdictOf({ checks: [check] }) === 'MISSED')
  return { ...row, checks: [], notes: [`does not hold any more: ${broken.map(measuredText).join(', ')}`, ...notes] }
}

function capacityRow(calls: number): Row {
  return {
    subject: 'capacity of the two cores, with Asterisk, double and callers on them',
    checks: [
      { name: `calls short of the ${EXPECTED_CALLS} expected`, value: Math.max(0, EXPECTED_CALLS - calls), most: 0 },
    ],
    notes: [`${calls} calls`],
    conditions: undefined,
  }
}
