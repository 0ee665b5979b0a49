import { type Clock, pause } from '../clock.ts'
import { asError, GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { tellsWhoCalls } from './caller-number.ts'
import type { CallerContext, EarlierCalls, KnowCaller, LiveCall, Looked } from './ports.ts'

type Asking = Parameters<KnowCaller>[0]

export interface ContextSources {
  readonly clock: Clock
  /** Of this number before this call; nothing to ask while the database is away. */
  readonly earlierCalls: (call: Pick<LiveCall, 'id' | 'facts' | 'business'>) => Promise<EarlierCalls> | undefined
  /** Nothing to ask where the business has no look-up, or nothing of what it goes by is known. */
  readonly lookUp: (call: Pick<LiveCall, 'id' | 'facts' | 'business'>) => Promise<Looked> | undefined
}

/** Asks both at once, each within its time. What does not come is not known, and the call goes on without it. */
export function callerContext({ clock, earlierCalls, lookUp }: ContextSources): KnowCaller {
  let waiting = 0
  /** A database that does not answer is not asked for ever more. */
  const bounded = (call: Asking): Promise<EarlierCalls> | undefined => {
    const answer = waiting < limits.context.askedAtOnce ? earlierCalls(call) : undefined
    if (answer) waiting += 1
    return answer?.finally(() => {
      waiting -= 1
    })
  }
  return async (call, signal) => {
    const { facts, business } = call
    const asking = { call, clock, signal }
    const known = tellsWhoCalls(facts.callerNumber)
    const [earlier, looked] = await Promise.all([
      known ? asked('store', () => bounded(call), limits.context.storeMs, asking) : undefined,
      business.lookup && asked('records', () => told(lookUp(call)), business.lookup.timeoutMs, asking),
    ])
    if (looked?.name !== undefined) call.emit({ name: 'callerNamed', by: 'records', private: { name: looked.name } })
    const name = looked?.name ?? earlier?.name ?? undefined
    return { ...(name !== undefined && { name }), ...(earlier && { earlier }), records: looked?.records ?? {} }
  }
}

/** Before anybody has asked. */
export const nothingKnown: CallerContext = { records: {} }

function told(looked: Promise<Looked> | undefined): Promise<Extract<Looked, { kind: 'told' }>> | undefined {
  return looked?.then(answer => {
    if (answer.kind === 'failed') throw new GatewayError('LOOKUP_FAILED', answer.why)
    return answer
  })
}

async function asked<T>(
  of: 'store' | 'records',
  ask: () => Promise<T> | undefined,
  withinMs: number,
  { call, clock, signal }: { readonly call: Asking; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T | undefined> {
  const startMs = clock.now()
  const over = new AbortController()
  const timeOver = pause(clock, withinMs, AbortSignal.any([signal, over.signal])).then(() => {
    throw new GatewayError('LOOKUP_FAILED', `it took longer than ${withinMs} ms`)
  })
  const tell = (ok: boolean) => call.emit({ name: 'callerLookedUp', of, ok, tookMs: Math.round(clock.now() - startMs) })
  try {
    const answer = ask()
    if (!answer) return undefined
    const result = await Promise.race([answer, timeOver])
    tell(true)
    return result
  } catch (error) {
    // Of a caller who is gone nobody wants to know.
    if (signal.aborted) return undefined
    tell(false)
    // A database that is busy is no failure of this call; whoever runs the records must hear of theirs.
    if (of === 'store') return undefined
    // Only our own errors in their own words: another's may hold the number.
    const why = error instanceof GatewayError ? error.message.replace(/\.$/, '') : asError(error).name
    const detail = `The business's records of this caller are not known: ${why}.`
    call.emit({ name: 'degraded', code: 'LOOKUP_FAILED', detail })
    return undefined
  } finally {
    over.abort()
    timeOver.catch(() => {})
  }
}
