import { expect } from 'vitest'
import { type Business, readBusiness } from '../../src/business.ts'
import type { Addressee } from '../../src/call/addressee.ts'
import { Admission } from '../../src/call/admission.ts'
import type { CallEvent, CallFact } from '../../src/call/events.ts'
import { type CallAtDoor, Exchange } from '../../src/call/exchange.ts'
import type { AnnounceTransfer, Handler, JudgeLeg, Line, LineEvent, Recorder, Redirect } from '../../src/call/ports.ts'
import { Scope } from '../../src/scope.ts'
import { type FakeLeg, FakeTelephony } from '../support/fake-leg.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

export const business: Business = readBusiness({
  file: undefined,
  name: 'Test',
  phone: undefined,
  ownerPhone: undefined,
  engine: 'scripted',
})

export const answerAndWait: Handler = async (call, scope) => {
  await call.answer()
  return new Promise((_, reject) => scope.signal.addEventListener('abort', () => reject(scope.signal.reason)))
}

export interface HouseOptions {
  readonly maxCalls?: number
  readonly addressee?: Addressee
  readonly earlier?: readonly CallEvent[]
  /** Of the PBX's ports. */
  readonly rtp?: { readonly start: number; readonly end: number }
  readonly announce?: AnnounceTransfer
  readonly clock?: VirtualClock
  readonly judge?: JudgeLeg
  readonly redirect?: Redirect
  readonly recorder?: Recorder
  readonly instead?: (door: CallAtDoor) => Handler | undefined
}

export const RING_MS = 30_000

/** Everything between a fake PBX and a handler, in virtual time. */
export function house(handler: Handler, options: HouseOptions = {}) {
  const { clock = new VirtualClock() } = options
  const failures: string[] = []
  const scope = new Scope('test', error => failures.push(String(error)))
  const telephony = new FakeTelephony()
  const digitsHeldMs: number[] = []
  const lines = new Set<Line>()
  let lineHappened: (event: LineEvent) => void = () => {}
  const events: CallEvent[] = []
  const plane = {
    lineCount: 0,
    close: async () => {},
    open: async () => {
      const line = {
        law: 'ulaw' as const,
        local: { address: '127.0.0.1', port: 40_000 },
        connect: () => {},
        onEvent: (listener: typeof lineHappened) => {
          lineHappened = listener
          return () => {}
        },
        figures: async () => undefined,
        digitReleased: (heldMs: number) => digitsHeldMs.push(heldMs),
        close: async () => void lines.delete(line),
      } as unknown as Line
      lines.add(line)
      return line
    },
  }
  const { maxCalls, rtp = { start: 10_000, end: 10_100 }, announce } = options
  const admission = new Admission(rtp, maxCalls, () => telephony.outsiders)
  const exchange = new Exchange({
    ...{ clock, scope, telephony, plane, admission },
    judge: options.judge ?? (() => ({ kind: 'plain' })),
    addressee: () => options.addressee ?? { business },
    handlers: { realtime: handler, local: handler, scripted: handler },
    earlierLife: call => (options.earlier ?? []).filter(event => event.call === call),
    observe: event => events.push(event),
    ...(options.instead && { instead: options.instead }),
    ...(options.recorder && { recorders: { of: () => options.recorder! } }),
    transfers: {
      ringMs: RING_MS,
      announce,
      redirect: options.redirect,
      route: (of, destination, number) =>
        of.destinations.some(({ name }) => name === destination)
          ? { target: { dial: destination }, callerId: { number } }
          : undefined,
    },
  })
  const factsOf = (id: string): CallFact[] => events.filter(event => event.call === id).map(event => event.fact)
  const facts = (id: string) => factsOf(id).map(({ name }) => name)
  const offer = async (leg: FakeLeg) => {
    telephony.offer(leg)
    await clock.settle()
    return leg
  }
  const nothingIsLeft = () => {
    expect(exchange.live).toEqual([])
    expect(admission.figures).toMatchObject({ calls: 0, pairsUsed: 0 })
    expect(lines.size).toBe(0)
    expect(clock.pending).toBe(0)
    expect(failures).toEqual([])
  }
  const failLine = async (message: string) => {
    lineHappened({ kind: 'failed', message })
    await clock.settle()
  }
  return { clock, exchange, admission, events, factsOf, facts, offer, lines, digitsHeldMs, failLine, nothingIsLeft }
}
