import { engineTitles } from '../business.ts'
import type { CallEvent } from '../call/events.ts'
import type { LineFigures } from '../call/ports.ts'
import type { ObservedCall } from './dependencies.ts'
import type { CallDetail, CallSummary } from './schemas.ts'

/** A call as the API tells it; who the caller is and what was said, only on demand. */
export function summaryOf(call: ObservedCall, figures: LineFigures | undefined, withPrivate: boolean): CallSummary {
  const { view } = call
  return {
    id: view.id,
    state: view.state,
    reason: view.reason ?? null,
    business: view.business,
    engine: engineTitles[view.engine],
    codec: view.codec,
    offeredAt: isoTime(view.offeredAtMs),
    durationMs: view.durationMs,
    from: masked(view.callerNumber),
    channels: { caller: view.channels.caller, media: view.channels.media ?? null },
    bridge: view.bridge ?? null,
    ports: view.ports ?? null,
    quality: figures ? qualityOf(figures) : null,
    ...(withPrivate ? { private: { callerNumber: view.callerNumber, parameters: view.parameters } } : {}),
  }
}

export function detailOf(call: ObservedCall, figures: LineFigures | undefined, withPrivate: boolean): CallDetail {
  return {
    ...summaryOf(call, figures, withPrivate),
    rtp: figures ?? null,
    events: call.events.map(event => eventOf(event, withPrivate)),
  }
}

function eventOf({ atMs, fact }: CallEvent, withPrivate: boolean): CallDetail['events'][number] {
  const { name, ...rest } = fact
  const { private: hidden, ...details } = { private: undefined, ...rest }
  return { at: isoTime(atMs), name, details, ...(withPrivate && hidden ? { private: { ...hidden } } : {}) }
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

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
