import { authToken, publicBaseUrl } from '../../test/twilio/signed.ts'
import { Child } from '../house/child.ts'
import { House } from '../house/house.ts'
import type { Asked, CarrierRequests } from '../programs/carrier.ts'
import { percentiles } from '../report/percentiles.ts'
import { figure, type Row } from '../report/row.ts'
import { carryIn, type LoadFigures, pathRow, spacingRow } from './load.ts'
import type { How, Subject } from './measurement.ts'

const QUICK_SECONDS = 5
const CALLERS = 1_000
const load = { calls: 50, seconds: 20, clickMs: 1_000, replyMs: 400, blocked: false } as const

export const webhooks: Subject = {
  title: 'Webhooks beside calls',
  method: `50 calls as above, and beside them requests of Twilio's kind from a process of its own, each of one of ${figure(CALLERS)} callers and by way of an
address of its own, at their times, however long the ones before take: by turns \`/v1/twilio/call\`, which is answered with TwiML and a token, and
\`/v1/twilio/status\`, which is answered when it is on the disk. **Answered** is from when a request was to be sent until the last byte of its answer.
The forged ones are signed with another token: each is received and its signature judged.`,
  measurements: [
    { name: 'webhooks', run: how => measured(how, { perSecond: 100, forged: false }) },
    { name: 'webhooks-forged', run: how => measured(how, { perSecond: 500, forged: true }) },
  ],
}

interface Kind {
  readonly perSecond: number
  readonly forged: boolean
}

async function measured(how: How, kind: Kind): Promise<Row[]> {
  await using carrier = new Child<CarrierRequests>(new URL('../programs/carrier.ts', import.meta.url), {
    environment: { PATH: process.env['PATH'] ?? '' },
  })
  await using house = await House.open({
    environment: { PUBLIC_BASE_URL: publicBaseUrl, TWILIO_AUTH_TOKEN: authToken, SIP_DOMAIN: 'sip.example.com' },
    watched: { Twilio: { pid: carrier.pid } },
  })
  const address = await house.gateway.ask('ready')
  const seconds = how.quick ? QUICK_SECONDS : load.seconds
  const asking = { ...kind, address, publicBaseUrl, authToken, seconds, callers: CALLERS }
  let asked: Asked = { tookMs: [], statuses: {} }
  const figures = await carryIn(house, { ...load, seconds }, how, async () => {
    asked = await carrier.ask('ask', asking)
  })
  const besides = `, beside ${kind.perSecond} ${kind.forged ? 'forged' : 'signed'} webhooks a second`
  return [answerRow(figures, asked, kind), pathRow(figures, besides), spacingRow(figures, besides)]
}

function answerRow({ conditions }: LoadFigures, { tookMs, statuses }: Asked, { perSecond, forged }: Kind): Row {
  const { p50, p99, max, count } = percentiles(tookMs)
  const meant = forged ? [403, 429] : [200, 204]
  const otherwise = Object.entries(statuses).filter(([status]) => !meant.includes(Number(status)))
  const answers = Object.entries(statuses).map(([status, times]) => `${figure(times)} with ${status}`)
  return {
    subject: `${perSecond} ${forged ? 'forged' : 'signed'} webhooks a second of ${figure(CALLERS)} callers, beside ${load.calls} calls`,
    checks: [
      ...(forged ? [] : [{ name: 'answered p99', value: p99, most: 100, below: true, unit: 'ms' } as const]),
      {
        name: forged ? 'not refused' : 'answered otherwise',
        value: otherwise.reduce((sum, [, times]) => sum + times, 0),
        most: 0,
      },
    ],
    notes: [
      `p50 ${figure(p50)} ms, p99 ${figure(p99)} ms, max ${figure(max)} ms`,
      `${figure(count)} answered: ${answers.join(', ')}`,
    ],
    conditions,
  }
}
