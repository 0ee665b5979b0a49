import { isForNextLife } from './carrier-events.ts'
import { type CallEvent, type CallFact, keepEvent } from './events.ts'
import type { Journal } from './journal.ts'
import { isSame, JOURNAL_START } from './journal-reader.ts'

/** A call that a journal leaves open: a gateway that was killed told no end of it. */
export interface UnfinishedCall {
  /** The first of them, as many as are kept of a call. */
  readonly events: readonly CallEvent[]
  /** For one that is gone: at the time of the last that is known of it. */
  readonly end: CallEvent
}

interface Open {
  readonly events: CallEvent[]
  answeredAtMs: number | undefined
  last: CallEvent
}

/** Of calls that are over, too: a voicemail that is fetched then, what work on a call has cost. */
const alsoAfterwards: readonly CallFact['name'][] = ['voicemailLeft', 'usageCounted', 'recordingEnded']

/** Those that go on are among them. */
export async function unfinishedCalls(journal: Pick<Journal, 'read'>): Promise<ReadonlyMap<string, UnfinishedCall>> {
  const open = new Map<string, Open>()
  for await (const event of eventsOf(journal)) {
    const { call, fact, atMs } = event
    if (!isForNextLife(fact.name)) continue
    if (fact.name === 'ended' || fact.name === 'refused') {
      open.delete(call)
      continue
    }
    const comesLater = alsoAfterwards.includes(fact.name)
    if (comesLater && !open.has(call)) continue
    const known = open.get(call) ?? { events: [], answeredAtMs: undefined, last: event }
    keepEvent(known.events, event)
    if (!comesLater) known.last = event
    if (fact.name === 'answered' || fact.name === 'takenOver') known.answeredAtMs ??= atMs
    open.set(call, known)
  }
  return new Map([...open].map(([call, known]) => [call, { events: known.events, end: endOf(known) }]))
}

/** Of a call whose caller went on talking with somebody else: its end is none before theirs. */
export function transferredUntil(end: CallEvent, atMs: number): CallEvent {
  if (end.fact.name !== 'ended') return end
  const { durationMs, answeredMs } = end.fact
  const moreMs = atMs - end.atMs
  const answered = answeredMs === undefined ? {} : { answeredMs: answeredMs + moreMs }
  return { ...end, atMs, fact: { name: 'ended', reason: 'transferred', durationMs: durationMs + moreMs, ...answered } }
}

async function* eventsOf(journal: Pick<Journal, 'read'>): AsyncIterable<CallEvent> {
  for (let at = JOURNAL_START; ; ) {
    const { events, next } = await journal.read(at)
    yield* events
    if (isSame(next, at)) return
    at = next
  }
}

function endOf({ events, answeredAtMs, last }: Open): CallEvent {
  const { call, business, atMs } = last
  const durationMs = atMs - events[0]!.atMs
  const answered = answeredAtMs === undefined ? {} : { answeredMs: atMs - answeredAtMs }
  return { call, business, atMs, fact: { name: 'ended', reason: 'lost', durationMs, ...answered } }
}
