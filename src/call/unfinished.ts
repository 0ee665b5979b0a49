import type { CallEvent } from './events.ts'
import type { Journal } from './journal.ts'
import { JOURNAL_START } from './journal-reader.ts'

interface Open {
  readonly first: CallEvent
  answeredAtMs: number | undefined
  last: CallEvent
}

/**
 * The ends of calls that a journal leaves open, each at the time of the last that is known of it: a gateway that was killed
 * told none. Those that run are among them.
 */
export async function unfinishedCalls(journal: Pick<Journal, 'read'>): Promise<CallEvent[]> {
  const open = new Map<string, Open>()
  for await (const event of eventsOf(journal)) {
    const { call, fact, atMs } = event
    // A voicemail is fetched when its call is over, and may be all that there ever was of it here.
    if (fact.name === 'voicemailLeft') continue
    if (fact.name === 'ended' || fact.name === 'refused') {
      open.delete(call)
      continue
    }
    const known = open.get(call) ?? { first: event, answeredAtMs: undefined, last: event }
    known.last = event
    if (fact.name === 'answered' || fact.name === 'takenOver') known.answeredAtMs ??= atMs
    open.set(call, known)
  }
  return [...open.values()].map(endOf)
}

async function* eventsOf(journal: Pick<Journal, 'read'>): AsyncIterable<CallEvent> {
  for (let at = JOURNAL_START; ; ) {
    const { events, next } = await journal.read(at)
    yield* events
    if (next.segment === at.segment && next.byte === at.byte) return
    at = next
  }
}

function endOf({ first, answeredAtMs, last }: Open): CallEvent {
  const { call, business, atMs } = last
  const answered = answeredAtMs === undefined ? {} : { answeredMs: atMs - answeredAtMs }
  return { call, business, atMs, fact: { name: 'ended', reason: 'lost', durationMs: atMs - first.atMs, ...answered } }
}
