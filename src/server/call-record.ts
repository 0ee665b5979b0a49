import type { CallEvent, CallFact } from '../call/events.ts'
import type { CallDetail } from './schemas.ts'

/** What a call's events come to, when they are read as a conversation: from memory and from the store alike. */
export interface CallRecord {
  readonly turns: CallDetail['turns']
  readonly tools: CallDetail['tools']
  readonly transfers: CallDetail['transfers']
  readonly events: CallDetail['events']
}

/** What was said, and who called, only on demand. */
export function recordOf(events: readonly CallEvent[], withPrivate: boolean): CallRecord {
  return {
    turns: turnsOf(events, withPrivate),
    tools: events.flatMap(({ atMs, fact }) => {
      if (fact.name !== 'toolRan') return []
      const { tool, ok, tookMs } = fact
      return [{ at: isoTime(atMs), tool, ok, tookMs }]
    }),
    transfers: transfersOf(events, withPrivate),
    events: events.map(event => eventOf(event, withPrivate)),
  }
}

/** Where the time went is told when the agent begins to be heard; what was heard, when it has ended. */
function turnsOf(events: readonly CallEvent[], withPrivate: boolean): CallDetail['turns'] {
  const turns: CallDetail['turns'] = []
  let latency: CallDetail['turns'][number]['latency'] = null
  for (const { atMs, fact } of events) {
    if (fact.name === 'turnAnswered' || fact.name === 'replyTimed') {
      const { name: _, ...times } = fact
      latency = Object.assign({}, latency, times)
    }
    if (fact.name !== 'callerSpoke' && fact.name !== 'agentSpoke') continue
    const hidden = withPrivate ? { private: { text: fact.private.text } } : {}
    if (fact.name === 'callerSpoke') {
      turns.push({ at: isoTime(atMs), who: 'caller', heardMs: null, complete: null, latency: null, ...hidden })
      continue
    }
    const { ms, complete } = fact
    turns.push({ at: isoTime(atMs), who: 'agent', heardMs: ms, complete, latency, ...hidden })
    latency = null
  }
  return turns
}

type TransferTold = CallDetail['transfers'][number]

function transfersOf(events: readonly CallEvent[], withPrivate: boolean): TransferTold[] {
  const transfers: TransferTold[] = []
  for (const { atMs, fact } of events) {
    if (fact.name === 'transferBegan') {
      const {
        name: _,
        private: { reason },
        ...known
      } = fact
      const open = { rangAt: null, answeredAt: null, endedAt: null, outcome: null }
      const hidden = withPrivate && reason !== undefined ? { private: { reason } } : {}
      transfers.push({ ...known, beganAt: isoTime(atMs), ...open, ...hidden })
    }
    if (!('attempt' in fact)) continue
    const own = transfers.findLast(({ attempt }) => attempt === fact.attempt)
    if (!own) continue
    if (fact.name === 'transferRang') own.rangAt = isoTime(atMs)
    if (fact.name === 'transferAnswered') own.answeredAt = isoTime(atMs)
    if (fact.name === 'transferEnded') Object.assign(own, { endedAt: isoTime(atMs), outcome: fact.outcome })
  }
  return transfers
}

function eventOf({ atMs, fact }: CallEvent, withPrivate: boolean): CallDetail['events'][number] {
  const { name, ...rest } = fact
  const { private: hidden, ...details } = { private: undefined, ...rest }
  return { at: isoTime(atMs), name, details, ...(withPrivate && hidden ? { private: { ...hidden } } : {}) }
}

interface EventAsStored {
  readonly at: Date
  readonly name: string
  readonly details: object
  readonly private: object | null
}

/** As it was before the journal and the store took it apart. */
export function eventFrom(
  call: string,
  business: string,
  { at, name, details, private: hidden }: EventAsStored,
): CallEvent {
  const fact = { name, ...details, ...(hidden && { private: hidden }) } as CallFact
  return { call, business, atMs: at.getTime(), fact }
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
