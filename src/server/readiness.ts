import { limits } from '../limits.ts'
import type { Sources } from './dependencies.ts'

interface Readiness {
  /** Why a call that came in now would not be answered; empty when it would. */
  readonly reasons: readonly string[]
  /** What is wrong without keeping a call from being answered. */
  readonly warnings: readonly string[]
}

export function readiness(sources: Sources): Readiness {
  const { exchange, telephony, sip, admission, media } = sources
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
  return { reasons, warnings: warningsOf(sources).map(({ words, remedy }) => `${words} ${remedy}`) }
}

/** Whoever gets a warning as one text, as a running gateway gives it, finds by these what to do. */
export const remedies = {
  journal: 'Free space on the disk of STATE_DIR, or make it writable.',
  database: 'See that it is there, lets Parley in (DATABASE_URL) and has room on its disk.',
  disk: 'Free space where STATE_DIR is.',
  jobs: 'See npm run jobs -- list, and retry when the reason is gone.',
  backlog: 'See that the database is there and has room: at the bound of the journal the oldest events are lost.',
} as const

function warningsOf({ journal, store, recorders, work }: Sources) {
  const { failing, waitingBytes, waitingShare, waitingMs } = journal.figures
  const { failed } = work
  const full = `${Math.floor(waitingShare * 100)} %`
  const waiting = `${Math.round(waitingBytes / 1e6)} MB, for ${Math.round(waitingMs / 1_000)} s`
  const all: readonly (readonly [boolean, string, keyof typeof remedies])[] = [
    [failing, 'The journal cannot be written: events wait in memory.', 'journal'],
    [store.failing, 'The database takes no events: the journal keeps them.', 'database'],
    [
      store.silent && !store.failing,
      'The database does not answer: what it keeps cannot be told or changed.',
      'database',
    ],
    [recorders?.disk === 'full', 'The disk is full: nothing is recorded.', 'disk'],
    [recorders?.disk === 'low', 'The disk is nearly full: recording ends soon.', 'disk'],
    [failed > 0, `${failed === 1 ? 'A job has' : `${failed} jobs have`} failed for good.`, 'jobs'],
    [
      waitingShare >= limits.journal.alarms[0],
      `The journal is ${full} full of what the database has not taken (${waiting}).`,
      'backlog',
    ],
  ]
  return all.filter(([isSo]) => isSo).map(([, words, remedy]) => ({ words, remedy: remedies[remedy] }))
}
