import type { Dialled, DialledEvent, Leg } from '../../../src/call/ports.ts'
import type { Call } from '../../../src/caller/call.ts'
import type { CallOptions } from '../../../src/caller/invitation.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import type { Law } from '../../../src/media/audio.ts'
import type { Outlet } from '../../../src/telephony/asterisk/destination.ts'
import type { AsteriskSettings } from '../../../src/telephony/asterisk/settings.ts'
import { startTestAsterisk } from '../../support/asterisk.ts'
import type { Pbx } from '../../support/pbx.ts'
import { TestAri } from '../asterisk/ari.ts'
import { type Exchange, echoLine, type Running } from './exchange.ts'

export const LEASE_SECONDS = 3
/** What a caller says, and hears of a line that sends back what comes. */
export const callerHz = 440

/** Ours, which knows the PBX by two transports, and a port where nobody is. */
export function asteriskWith(
  pbx: Pbx,
  { destinations: more, ...settings }: Partial<AsteriskSettings> = {},
): Promise<Running> {
  const { bindAddress: host, udpPort, tcpPort } = pbx.settings
  const destinations: Record<string, Outlet> = {
    pbx: { host, port: udpPort, transport: 'udp' },
    'pbx-tcp': { host, port: tcpPort, transport: 'tcp' },
    nobody: { host, port: 9, transport: 'tcp' },
    ...more,
  }
  return startTestAsterisk({ leaseSeconds: LEASE_SECONDS, silentCallerSeconds: 2, ...settings, destinations })
}

let callers = 0

/** A caller who is answered, hums, and hears the line. */
export async function liveCaller(exchange: Exchange, law: Law = 'ulaw', more: Partial<CallOptions> = {}) {
  const from = `+1555${String(callers++).padStart(7, '0')}`
  const call = await exchange.dial({ from, laws: [law], ...more })
  call.hum(callerHz)
  const isTheirs = (leg: Leg) => leg.facts.callerNumber === from
  await exchange.until(() => exchange.legs.some(isTheirs))
  const leg = exchange.legs.find(isTheirs)!
  const line = await lineFor(exchange, leg)
  await leg.answer()
  await call.hearsTone(callerHz, { forMs: 100 })
  return { call, leg, line }
}

export async function lineFor(exchange: Exchange, leg: Leg) {
  const echo = await echoLine(leg.facts.law)
  exchange.scope.onClose(() => echo[Symbol.asyncDispose]())
  await leg.connect(echo.line)
  return echo.line
}

export interface Far {
  readonly dialled: Dialled
  readonly told: readonly DialledEvent[]
  /** Settles with the event, or with the end that came instead. */
  tells(kind: DialledEvent['kind']): Promise<DialledEvent>
}

export async function dial(exchange: Exchange, leg: Leg, extension: string, endpoint = 'pbx'): Promise<Far> {
  const target = { dial: `PJSIP/${extension}@${endpoint}` }
  const headers = { 'X-Parley-Call': leg.id, 'X-Parley-Reason': 'a broken tooth, since "yesterday"' }
  const dialled = await leg.dial({ target, callerId: { number: '+15550001', name: 'Ana Reis' }, headers })
  const told: DialledEvent[] = []
  dialled.onEvent(event => exchange.note(() => told.push(event)))
  return {
    dialled,
    told,
    async tells(kind) {
      const found = () => told.find(event => event.kind === kind) ?? told.find(event => event.kind === 'ended')
      await exchange.until(() => found() !== undefined)
      return found()!
    },
  }
}

/** Without a gateway to ask. */
export async function reachedFallback({ settings }: Running, { id }: Pick<Leg, 'id'>): Promise<void> {
  const ari = new TestAri(settings)
  const context = async () => {
    const { body } = await ari.request('GET', `/channels/${id}`)
    return (body as { dialplan?: { context: string } }).dialplan?.context
  }
  while ((await context()) !== 'fallback') await pause(systemClock, 50)
}

export async function lawOf({ settings }: Running, channel: string): Promise<string> {
  const path = `/channels/${encodeURIComponent(channel)}/variable?variable=CHANNEL(audionativeformat)`
  const { body } = await new TestAri(settings).request('GET', path)
  return (body as { value: string }).value
}

/** Nothing is left, on neither side. */
export async function everythingIsGone(exchange: Exchange, pbx: Pbx): Promise<void> {
  await Promise.all([exchange.has(), pbx.idle()])
}

export async function hear(call: Pick<Call, 'hearsTone'>, hz: number, forMs = 200): Promise<void> {
  await call.hearsTone(hz, { forMs, timeoutMs: 15_000 })
}
