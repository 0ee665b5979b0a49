import { createHash } from 'node:crypto'
import { Agent, request } from 'node:http'
import { pause, systemClock } from '../../src/clock.ts'
import { signatureOf } from '../../test/twilio/signed.ts'
import { answer } from '../house/requests.ts'

/** What Twilio asks, and what others do who would like to be it: a process of its own. */

export interface Asking {
  /** Of the gateway. */
  readonly address: string
  readonly publicBaseUrl: string
  readonly authToken: string
  readonly perSecond: number
  readonly seconds: number
  /** Of whom the requests are, one after the other; each comes by way of an address of its own. */
  readonly callers: number
  readonly forged: boolean
}

export interface Asked {
  /** From when it was to be asked until its answer was there. */
  readonly tookMs: readonly number[]
  /** How many were answered with what, by status; 0: not at all. */
  readonly statuses: Readonly<Record<number, number>>
}

const requests = { ask }
export type CarrierRequests = typeof requests
answer(requests)

/** So many requests a second, however long the ones before them take. */
async function ask(asking: Asking): Promise<Asked> {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 })
  const tookMs: number[] = []
  const statuses: Record<number, number> = {}
  const beganMs = systemClock.now()
  const asked: Promise<void>[] = []
  for (let index = 0; index < asking.perSecond * asking.seconds; index++) {
    const dueMs = beganMs + (index * 1_000) / asking.perSecond
    const early = dueMs - systemClock.now()
    if (early > 0) await pause(systemClock, early)
    const one = send(asking, index, agent).then(status => {
      tookMs.push(systemClock.now() - dueMs)
      statuses[status] = (statuses[status] ?? 0) + 1
    })
    asked.push(one)
  }
  await Promise.all(asked)
  agent.destroy()
  return { tookMs, statuses }
}

/** By turns a call that comes in, and how the one before stands. */
function send({ address, publicBaseUrl, authToken, callers, forged }: Asking, index: number, agent: Agent) {
  const [path, call] = index % 2 === 0 ? ['/v1/twilio/call', index] : ['/v1/twilio/status', index - 1]
  const caller = (index >> 1) % callers
  const fields: Record<string, string> = {
    ...{ AccountSid: `AC${'1'.repeat(32)}`, ApiVersion: '2010-04-01', Direction: 'inbound' },
    CallSid: `CA${createHash('md5').update(`${forged} ${call}`).digest('hex')}`,
    ...{ From: `+1555${String(1_000_000 + caller)}`, To: '+15550100200' },
    ...(index % 2 === 0 ? { CallStatus: 'ringing' } : { CallStatus: 'completed', SequenceNumber: '3' }),
  }
  const signature = signatureOf(`${publicBaseUrl}${path}`, fields, forged ? 'another token' : authToken)
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-twilio-signature': signature,
    'x-forwarded-for': `198.18.${caller >> 8}.${caller & 255}`,
  }
  const { promise, resolve } = Promise.withResolvers<number>()
  const asked = request(`${address}${path}`, { method: 'POST', agent, headers }, response => {
    response.resume()
    response.on('end', () => resolve(response.statusCode ?? 0))
  })
  asked.on('error', () => resolve(0))
  asked.end(new URLSearchParams(fields).toString())
  return promise
}
