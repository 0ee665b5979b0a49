import type { TransferOutcome } from '../call/events.ts'
import type { LiveCall, Outcome } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import type { Scope } from '../scope.ts'
import { unlessAborted } from './iterate.ts'
import { Speech } from './speech.ts'
import { Transferring } from './transferring.ts'

interface Answered {
  readonly call: LiveCall
  readonly scope: Scope
  readonly clock: Clock
  readonly speech: Speech
}

/** A caller to whom nothing has been said, and nobody can say anything: it rings at whoever is there for that. */
export async function withoutEngine(call: LiveCall, scope: Scope, clock: Clock): Promise<Outcome> {
  const reason = 'engine failed'
  if (call.business.transfers.onFailure === undefined) return { kind: 'handBack', reason, message: 'failure' }
  const nothing = () => {}
  const listener = { started: nothing, heard: nothing, overflowed: nothing, quiet: nothing }
  const speech = new Speech(call.line, clock, listener)
  await unlessAborted(call.answer(), scope.signal)
  speech.release()
  return insteadOfEngine({ call, scope, clock, speech }, reason)
}

/** An answered caller whom no engine serves: connected with whoever is there for that, else with nobody here. */
export async function insteadOfEngine({ call, scope, clock, speech }: Answered, reason: string): Promise<Outcome> {
  const { onFailure } = call.business.transfers
  const handBack = { kind: 'handBack', reason, message: 'failure' } as const
  if (onFailure === undefined) return handBack
  const { signal } = scope
  scope.onClose(() => speech.cancel().then(() => {}))
  const { promise, resolve } = Promise.withResolvers<TransferOutcome>()
  const consult = async () => 'accepted' as const
  const transferring = new Transferring({ call, signal, clock, speech, consult, settled: resolve })
  scope.onClose(() => transferring.close())
  transferring.begin({ destination: onFailure, by: 'failure', mode: 'blind' })
  const outcome = await unlessAborted(promise, signal)
  return outcome === 'connected' ? { kind: 'transferred' } : handBack
}
