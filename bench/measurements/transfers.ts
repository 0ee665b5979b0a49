import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from '../../test/support/asterisk.ts'
import { House } from '../house/house.ts'
import { percentiles } from '../report/percentiles.ts'
import { figure, type Row } from '../report/row.ts'
import type { How, Subject } from './measurement.ts'

const COUNT = 60
const AT_ONCE = 3
const DESTINATION = 'reception'

const method = `${COUNT} callers, ${AT_ONCE} at a time, each transferred once: the agent, whose line is never silent, decides it when it hears
the caller's click. The destination is a SIP telephone in the callers' process: it rings, has sound of its own after that, and is
busy then, so that the caller is brought back. There are no last words here, which a caller hears to their end before.

**First ring**: from the decision to the news from Asterisk that it rings there. **Gap**: the longest that a caller heard nothing, from the
middle of the destination's own sound to half a second after they were back. Two packets of a sound that goes on are 20 ms apart.`

export const transfers: Subject = {
  title: 'Transfers',
  method,
  measurements: [{ name: 'transfers', run }],
}

async function run({ quick, progress }: How): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  try {
    const phonePort = await freePort()
    const address = `sip:2000@127.0.0.1:${phonePort};transport=udp`
    const businessFile = join(folder, 'business.yaml')
    await writeFile(businessFile, stringify({ name: 'Bench', destinations: [{ name: DESTINATION, address }] }))
    await using house = await House.open({ environment: { BUSINESS_FILE: businessFile } })
    const count = quick ? COUNT / 6 : COUNT
    progress(`${count} transfers`)
    const calling = { sipPort: house.sipPort, replyMs: 0, destination: DESTINATION, phonePort, count, atOnce: AT_ONCE }
    const { talk, conditions } = await house.during(echoPort =>
      house.caller.ask('placeTransferredCalls', { ...calling, echoPort }),
    )
    const ringMs = await ringTimes(house)
    const ring = percentiles(ringMs)
    const gap = percentiles(talk.gapsMs)
    return [
      {
        subject: `decision to first ring, ${AT_ONCE} at a time`,
        checks: [
          { name: 'p95', value: ring.p95, most: 150, below: true, unit: 'ms' },
          { name: 'transfers that failed', value: count - ringMs.length + talk.failures.length, most: 0 },
        ],
        notes: [
          `p50 ${figure(ring.p50)} ms, p99 ${figure(ring.p99)} ms, max ${figure(ring.max)} ms`,
          ...new Set(talk.failures.slice(0, 3)),
        ],
        conditions,
      },
      {
        subject: "gap in the caller's audio when they are brought back",
        checks: [{ name: 'p95', value: gap.p95, most: 100, below: true, unit: 'ms' }],
        notes: [`p50 ${figure(gap.p50)} ms, max ${figure(gap.max)} ms; ${figure(gap.count)} transfers`],
        conditions,
      },
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Of the calls' own records. */
async function ringTimes(house: House): Promise<number[]> {
  const { calls } = JSON.parse(await house.api('/v1/calls')) as { calls: readonly { id: string }[] }
  const times: number[] = []
  for (const { id } of calls) {
    const { events } = JSON.parse(await house.api(`/v1/calls/${id}`)) as {
      events: readonly { name: string; details: { afterMs?: number } }[]
    }
    times.push(...events.flatMap(({ name, details }) => (name === 'transferRang' ? [details.afterMs!] : [])))
  }
  return times
}
