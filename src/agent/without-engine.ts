import type { TransferOutcome } from '../call/events.ts'
import type { LiveCall, Outcome } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import type { Scope } from '../scope.ts'
import { unlessAborted } from './iterate.ts'
import { Speech } from './speech.ts'
import { Transferring } from './transferring.ts'

/** A caller to whom nothing has been said, and nobody can say anything: it rings at whoever is there for that. */
export async function withoutEngine(call: LiveCall, scope: Scope, clock: Clock): Promise<Outcome> {
  const { onFailure } = call.business.transfers
  const handBack = { kind: 'handBack', reason: 'engine failed' } as const
  if (onFailure === undefined) return handBack
  const { signal } = scope
  const nothing = () => {}
  const listener = { started: nothing, heard: nothing, overflowed: nothing, quiet: nothing }
  const speech = new Speech(call.line, clock, listener)
  scope.onClose(() => speech.cancel().then(nothing))
  await unlessAborted(call.answer(), signal)
  speech.release()
  const { promise, resolve } = Promise.withResolvers<TransferOutcome>()
  const consult = async () => 'accepted' as const
  const transferring = new Transferring({ call, signal, clock, speech, consult, settled: resolve })
  scope.onClose(() => transferring.close())
  transferring.begin({ destination: onFailure, by: 'failure', mode: 'blind' })
  const outcome = await unlessAborted(promise, signal)
  return outcome === 'connected' ? { kind: 'transferred' } : handBack
}
