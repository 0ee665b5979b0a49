import type { CallFilter, CallPlace, Page, StoredCall } from '../store/calls.ts'
import type { StoreScope } from '../store/scope.ts'
import type { ObservedCall } from './dependencies.ts'
import { isBefore, type Place } from './page.ts'

/**
 * Calls are known by two: this gateway knows those of its own, live and just ended, as they are at this moment; the store knows
 * all, of every gateway, as they were written down. Of one that both know, this gateway is believed.
 */

/** A call, by whom it is told. */
export type KnownCall = { readonly here: ObservedCall } | { readonly stored: StoredCall }

export function placeOfCall(call: KnownCall): Place {
  return 'here' in call ? placeHere(call.here) : { atMs: call.stored.offered_at.getTime(), id: call.stored.id }
}

/** As the store has it: what the caller left is the last word. */
export function outcomeOf({ view, events }: ObservedCall): string | undefined {
  return events.some(({ fact }) => fact.name === 'voicemailLeft') ? 'voicemail' : view.reason
}

function placeHere({ view }: ObservedCall): Place {
  return { atMs: view.offeredAtMs, id: view.record }
}

/** One for each record, of several channels the latest; all names that the database may have for them. */
export function recordsHere(calls: readonly ObservedCall[]) {
  const latest = new Map<string, ObservedCall>()
  for (const call of calls) if (!latest.has(call.view.record)) latest.set(call.view.record, call)
  return { calls: [...latest.values()], names: calls.flatMap(({ view }) => [view.id, view.record]) }
}

export function isOf(scope: StoreScope, call: ObservedCall): boolean {
  return scope === 'all' || call.view.business === scope.business
}

/** Those of this gateway that are asked for, the newest first. */
export function filteredHere(
  calls: readonly ObservedCall[],
  filter: CallFilter,
  { after, count }: Page<CallPlace>,
): ObservedCall[] {
  const behind = after && { atMs: after.offeredAt.getTime(), id: after.id }
  return calls
    .filter(call => isAskedFor(call, filter) && (!behind || isBefore(behind, placeHere(call))))
    .sort((one, other) => (isBefore(placeHere(one), placeHere(other)) ? -1 : 1))
    .slice(0, count)
}

function isAskedFor(call: ObservedCall, filter: CallFilter): boolean {
  const { view, events } = call
  const { business, number, state, outcome, transfer, since, before } = filter
  const stateNow = view.state === 'ended' ? 'ended' : 'live'
  return (
    (business === undefined || view.business === business) &&
    (number === undefined || view.callerNumber === number) &&
    (state === undefined || stateNow === state) &&
    (outcome === undefined || (stateNow === 'ended' && outcomeOf(call) === outcome)) &&
    (transfer === undefined || events.some(({ fact }) => fact.name === 'transferEnded' && fact.outcome === transfer)) &&
    (since === undefined || view.offeredAtMs >= since.getTime()) &&
    (before === undefined || view.offeredAtMs < before.getTime())
  )
}

/** Both lists begin with the newest, and no call stands in both. */
export function merged(here: readonly ObservedCall[], stored: readonly StoredCall[]): KnownCall[] {
  const all: KnownCall[] = [...here.map(call => ({ here: call })), ...stored.map(call => ({ stored: call }))]
  return all.sort((one, other) => (isBefore(placeOfCall(one), placeOfCall(other)) ? -1 : 1))
}
