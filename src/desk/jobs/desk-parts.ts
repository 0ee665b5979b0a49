import type { Digest } from '../../agent/ports.ts'
import type { Business } from '../../business.ts'
import type { CallEvent, CallFact } from '../../call/events.ts'
import type { Clock } from '../../clock.ts'
import type { StoredEvent } from '../../store/calls.ts'

/** What all that do something for a business need. */
export interface DeskParts {
  readonly find: (business: string) => Business | undefined
  /** A call by any of its names, with what was told of it so far. */
  readonly record: (call: string) => Promise<Story | undefined>
  readonly tell: (event: CallEvent) => void
  readonly kept: () => Promise<void>
  readonly clock: Clock
}

export interface Story {
  readonly id: string
  readonly events: readonly StoredEvent[]
}

/** As it was told. */
export function factOf({ name, details, private: hidden }: StoredEvent): CallFact {
  return { name, ...details, private: hidden ?? {} } as unknown as CallFact
}

/** On the disk before the job is done, with what it cost. */
export async function tellMade(
  { tell, kept, clock }: Pick<DeskParts, 'tell' | 'kept' | 'clock'>,
  { call, business }: Pick<CallEvent, 'call' | 'business'>,
  { usage, model }: Digest<object>,
  fact: CallFact,
): Promise<void> {
  const event = { call, business, atMs: clock.wallMs() }
  if (usage && model !== undefined && Object.keys(usage).length > 0)
    tell({ ...event, fact: { name: 'usageCounted', model, ...usage } })
  tell({ ...event, fact })
  await kept()
}
