import { type Engine, engineTitles } from '../business.ts'
import type { LineFigures } from '../call/ports.ts'
import type { StoredCall } from '../store/calls.ts'
import { isoTime } from './call-record.ts'
import type { ObservedCall } from './dependencies.ts'
import { outcomeOf } from './known-calls.ts'
import { type CallSummary, lineFigures } from './schemas.ts'

/** What the carrier has told of a call, which only the store knows. */
export type CarrierAccount = Pick<
  StoredCall,
  'direction' | 'carrier_status' | 'carrier_seconds' | 'carrier_error' | 'answered_by' | 'price' | 'price_unit'
>

/** A call of this gateway as the API tells it; who the caller is and what was said, only on demand. */
export function summaryOf(
  call: ObservedCall,
  figures: LineFigures | undefined,
  account: CarrierAccount | undefined,
  withPrivate: boolean,
): CallSummary {
  const { view, events } = call
  const timeOf = (name: string) => {
    const event = events.find(({ fact }) => fact.name === name)
    return event ? isoTime(event.atMs) : null
  }
  return {
    id: view.record,
    state: view.state,
    outcome: outcomeOf(call) ?? null,
    business: view.business,
    engine: engineTitles[view.engine],
    codec: view.codec,
    offeredAt: isoTime(view.offeredAtMs),
    answeredAt: timeOf('answered'),
    endedAt: timeOf('ended'),
    durationMs: view.durationMs,
    transferredTo: view.transferredTo ?? null,
    from: masked(view.callerNumber),
    channels: { caller: view.channels.caller, media: view.channels.media ?? null },
    bridge: view.bridge ?? null,
    ports: view.ports ?? null,
    quality: figures ? qualityOf(figures) : null,
    direction: account?.direction ?? 'inbound',
    carrier: account ? carrierOf(account) : null,
    ...(withPrivate ? { private: { callerNumber: view.callerNumber, parameters: view.parameters } } : {}),
  }
}

/** One that ended earlier, or is another gateway's. */
export function summaryOfStored(call: StoredCall, nowMs: number, withPrivate: boolean): CallSummary {
  const offeredAtMs = call.offered_at.getTime()
  const callerNumber = call.caller_number ?? ''
  const figures = storedFigures(call)
  return {
    id: call.id,
    state: call.state,
    outcome: call.outcome,
    business: call.business,
    engine: call.engine === null ? null : (engineTitles[call.engine as Engine] ?? call.engine),
    codec: call.codec,
    offeredAt: isoTime(offeredAtMs),
    answeredAt: call.answered_at && isoTime(call.answered_at.getTime()),
    endedAt: call.ended_at && isoTime(call.ended_at.getTime()),
    durationMs: call.duration_ms ?? (call.state === 'live' ? Math.max(0, nowMs - offeredAtMs) : 0),
    transferredTo: call.transferred_to,
    from: masked(callerNumber),
    channels: { caller: call.id, media: null },
    bridge: null,
    ports: null,
    quality: figures ? qualityOf(figures) : null,
    direction: call.direction,
    carrier: carrierOf(call),
    ...(withPrivate ? { private: { callerNumber, parameters: textsOf(call.parameters) } } : {}),
  }
}

function carrierOf(account: CarrierAccount): CallSummary['carrier'] {
  const { carrier_status: status, carrier_seconds: seconds, carrier_error: errorCode, price, price_unit } = account
  if (status === null) return null
  return { status, seconds, errorCode, answeredBy: account.answered_by, price, priceUnit: price_unit }
}

/** Nothing of an earlier Parley's that counted other things. */
export function storedFigures({ figures }: StoredCall): LineFigures | null {
  return lineFigures.safeParse(figures).data ?? null
}

function textsOf(parameters: object | null): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters ?? {}).map(([name, value]) => [name, String(value)]))
}

/** Enough to tell two callers apart at a glance, too little to call one back. */
function masked(number: string): string {
  if (number === '') return 'unknown'
  return /^\+?[0-9]{7,}$/.test(number) ? `…${number.slice(-2)}` : '…'
}

function qualityOf({ received }: LineFigures): CallSummary['quality'] {
  const expected = received.packets + received.lost
  const lossPercent = expected === 0 ? 0 : (100 * received.lost) / expected
  return { lossPercent: round(lossPercent), jitterMs: round(received.jitterMs) }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
