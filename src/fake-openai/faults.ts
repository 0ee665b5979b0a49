import { z } from 'zod'

/** What goes wrong, once each, at the next occasion. */
const faultSchema = z.union([
  /** Instead of a session: an HTTP status. */
  z.strictObject({
    at: z.literal('connect'),
    status: z.number().int().min(400).max(599),
    retryAfter: z.string().optional(),
  }),
  /** A session that never says a word, or one that is closed at once. */
  z.strictObject({ at: z.literal('session'), what: z.enum(['silence', 'close']) }),
  /** A response that gives nothing, gives words without a sound, fails, or is refused. */
  z.strictObject({ at: z.literal('response'), what: z.enum(['stall', 'mute', 'fail', 'quota', 'refuse']) }),
  /** In mid-sentence, when so much of it has been sent. */
  z.strictObject({
    at: z.literal('audio'),
    afterMs: z.number().min(0).max(60_000),
    what: z.enum(['kill', 'stall', 'malformed', 'binary', 'oversize', 'expire', 'error', 'fail']),
  }),
])

export const faultsSchema = z.array(faultSchema).max(100)

export type Fault = z.infer<typeof faultSchema>
type FaultAt<A extends Fault['at']> = Extract<Fault, { at: A }>

export class Faults {
  readonly #planned: Fault[] = []

  plan(...faults: Fault[]): void {
    this.#planned.push(...faults)
  }

  /** Of all sessions and responses, the next one. */
  take<A extends Fault['at']>(at: A): FaultAt<A> | undefined {
    const index = this.#planned.findIndex(fault => fault.at === at)
    return index < 0 ? undefined : (this.#planned.splice(index, 1)[0] as FaultAt<A>)
  }
}
