import { Counter, Gauge, type Registry } from 'prom-client'
import type { Sources } from './dependencies.ts'
import { readiness } from './readiness.ts'

const states = ['offered', 'answering', 'live', 'transferring', 'connected', 'ending'] as const

/** What the gateway is at the moment of the scrape. */
export function stateMetrics(registry: Registry, sources: Sources, version: string): void {
  const { exchange, sip, admission, journal, store, media, recorders, work } = sources
  const registers = [registry]
  new Gauge({
    name: 'parley_calls',
    help: 'Calls that are up, by state.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of states) {
        this.set({ state }, exchange.live.filter(call => call.state === state).length)
      }
    },
  })
  new Gauge({
    name: 'parley_build_info',
    help: 'Always 1; the label tells the version.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1)

  const now = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  now('parley_ready', '1 when a call that came in now would be answered.', () =>
    readiness(sources).reasons.length === 0 ? 1 : 0,
  )
  now('parley_draining', '1 while the gateway takes no new calls because it is stopping.', () =>
    exchange.draining ? 1 : 0,
  )
  if (sip) now('parley_sip_answered', '1 when Asterisk answers on its SIP port.', () => (sip.answered ? 1 : 0))
  now('parley_calls_max', 'Calls that there is room for.', () => admission.figures.maxCalls)
  now('parley_port_pairs', 'RTP port pairs of Asterisk that may be used.', () => admission.figures.pairs)
  now('parley_port_pairs_used', 'RTP port pairs of Asterisk in use.', () => admission.figures.pairsUsed)
  now('parley_media_lines', 'Sockets open on the media thread.', () => media.lineCount)
  now('parley_recordings', 'Calls and messages that are being recorded.', () => recorders?.recording ?? 0)
  now('parley_recording_disk_full', '1 while nothing is recorded for want of room.', () =>
    recorders?.disk === 'full' ? 1 : 0,
  )
  now('parley_journal_queued_events', 'Events that are not on the disk yet.', () => journal.figures.queued)
  now('parley_journal_failing', '1 while the journal cannot be written.', () => (journal.figures.failing ? 1 : 0))
  now('parley_journal_waiting_bytes', 'Of the journal, not yet in the database.', () => journal.figures.waitingBytes)
  now(
    'parley_journal_waiting_seconds',
    'How long the oldest of it has waited, at most.',
    () => journal.figures.waitingMs / 1_000,
  )
  now('parley_jobs_failed', 'Jobs that have failed for good, and are left to a person.', () => work.failed)
  now('parley_store_failing', '1 while the database takes no events.', () => (store.failing ? 1 : 0))

  const total = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  total('parley_journal_written_events_total', 'Events written to the journal.', () => journal.figures.written)
  total('parley_journal_shed_events_total', 'Events lost at the bound of the journal.', () => journal.figures.shed)
}
