import { limits } from '../limits.ts'
import type { Sources } from './dependencies.ts'

interface Readiness {
  /** Why a call that came in now would not be answered; empty when it would. */
  readonly reasons: readonly string[]
  /** What is wrong without keeping a call from being answered. */
  readonly warnings: readonly string[]
}

export function readiness(sources: Sources): Readiness {
  const { exchange, telephony, sip, admission, media, journal, store, recorders, work } = sources
  const reasons: string[] = []
  if (!telephony.ready) reasons.push('Asterisk is not connected.')
  if (sip?.answered === false) {
    reasons.push(
      'SIP is not answered: all the connections that Asterisk takes may be held by strangers. Close its ports to them: npm run firewall.',
    )
  }
  if (!media.alive) reasons.push('The media thread has stopped.')
  if (exchange.draining) reasons.push('The gateway is stopping: no new calls are taken.')
  if (admission.full) {
    const { calls, maxCalls } = admission.figures
    reasons.push(`All places are taken: ${calls} of ${maxCalls} calls.`)
  }
  // The exchange has the last word, whatever it may come to depend on.
  if (!exchange.ready && reasons.length === 0) reasons.push('The exchange takes no calls.')
  const warnings: string[] = []
  if (journal.figures.failing) warnings.push('The journal cannot be written: events wait in memory.')
  if (store.failing) warnings.push('The database takes no events: the journal keeps them.')
  else if (store.silent) warnings.push('The database does not answer: what it keeps cannot be told or changed.')
  if (recorders?.disk === 'full') warnings.push('The disk is full: nothing is recorded. Free space where STATE_DIR is.')
  if (recorders?.disk === 'low')
    warnings.push('The disk is nearly full: recording ends soon. Free space where STATE_DIR is.')
  if (work.failed > 0) {
    const what = work.failed === 1 ? 'A job has' : `${work.failed} jobs have`
    warnings.push(`${what} failed for good: npm run jobs -- list, and retry when the reason is gone.`)
  }
  const { waitingBytes, waitingShare, waitingMs } = journal.figures
  if (waitingShare >= limits.journal.alarms[0]) {
    warnings.push(
      `The journal is ${Math.floor(waitingShare * 100)} % full of what the database has not taken (${Math.round(waitingBytes / 1e6)} MB, for ${Math.round(waitingMs / 1_000)} s): at its bound the oldest events are lost.`,
    )
  }
  return { reasons, warnings }
}
