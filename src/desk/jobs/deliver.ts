import type { Business } from '../../business.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Attempt, NewDelivery, StoredDelivery } from '../../store/deliveries.ts'
import { type Hook, type HookAnswer, type SendHook, type ToldEvent, toldOf } from '../hooks.ts'
import type { Handler } from '../working.ts'

export interface DeliverParts {
  readonly send: SendHook
  readonly find: (business: string) => Business | undefined
  /** A call by any of its names, with what was told of it so far. */
  readonly record: (call: string) => Promise<{ readonly id: string; readonly events: readonly ToldEvent[] } | undefined>
  readonly stored: (delivery: string) => Promise<StoredDelivery | undefined>
  /** As it stands from here on: the first of it counts. */
  readonly keep: (delivery: NewDelivery) => Promise<StoredDelivery | undefined>
  readonly attempted: (delivery: string, attempt: Attempt) => Promise<void>
  /** Nobody is to hear it, as it is now: a person who looks for it sees why, and can have it repeated. */
  readonly untold: (delivery: string, why: string) => Promise<void>
  /** They want to hear nothing more, and the business has not been changed since. */
  readonly isOff: (business: string, hook: string) => Promise<boolean>
  readonly clock: Clock
  readonly log: Log
}

/** Tells an integrator something until they have taken it. Twice only where nobody knows whether they had: by its id it is once. */
export function deliver(parts: DeliverParts): Handler {
  const failing = failingInARow(parts.log)
  return async ({ business: id, subject }, signal) => {
    const delivery = String(subject['delivery'])
    const byPerson = subject['repeated'] !== undefined
    const known = await parts.stored(delivery)
    const business = parts.find(id)
    const hook = business?.hooks.find(({ name }) => name === (known?.hook ?? subject['hook']))
    if (!hook?.enabled) {
      if (known) await parts.untold(delivery, 'the business has no such hook, or it is not enabled')
      return
    }
    const row = known ?? (await made(parts, { delivery, call: String(subject['call']), business: id, hook }))
    if (!row || (row.delivered_at && !byPerson)) return
    if (!byPerson && (await parts.isOff(id, hook.name)))
      throw new GatewayError('TOOL_FAILED', `the hook ${hook.name} has answered 410: it wants to hear nothing more`)
    const { url, secret } = hook
    const answer = await parts.send({ id: row.id, url, secret, body: row.body }, signal)
    await parts.attempted(row.id, attemptOf(answer, new Date(parts.clock.wallMs())))
    failing(id, hook, answer)
    if (answer.kind === 'refused')
      throw new GatewayError('TOOL_FAILED', `the hook ${hook.name}: ${answer.why}`, { retryable: !answer.hopeless })
  }
}

interface Wanted {
  readonly delivery: string
  readonly call: string
  readonly business: string
  readonly hook: Hook
}

async function made(parts: DeliverParts, wanted: Wanted): Promise<StoredDelivery | undefined> {
  const story = await parts.record(wanted.call)
  const told = story && toldOf(wanted, story)
  if (!told) return undefined
  const { delivery: id, business, hook } = wanted
  return parts.keep({ id, business, call: story.id, hook: hook.name, event: told.type, at: told.at, body: told.body })
}

function attemptOf(answer: HookAnswer, at: Date): Attempt {
  if (answer.kind === 'taken') return { at, status: answer.status, why: null, taken: true }
  return { at, status: answer.status ?? null, why: answer.why, taken: false }
}

/** An operator is told once, until something is taken again. */
function failingInARow(log: Log): (business: string, hook: Hook, answer: HookAnswer) => void {
  const counts = new Map<string, number>()
  return (business, { name }, answer) => {
    const key = `${business} ${name}`
    const count = answer.kind === 'taken' ? 0 : (counts.get(key) ?? 0) + 1
    if (count === 0) counts.delete(key)
    else counts.set(key, count)
    if (count === limits.hooks.failingInARow)
      log.error({ business, hook: name }, `${count} deliveries in a row came to nothing: GET /v1/deliveries tells why`)
  }
}
