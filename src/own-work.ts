import type { Registry } from 'prom-client'
import { tellsWhoCalls } from './call/caller-number.ts'
import type { CallEvent } from './call/events.ts'
import type { Exchange } from './call/exchange.ts'
import type { Journal } from './call/journal.ts'
import { every, systemClock } from './clock.ts'
import type { DeleteSound } from './desk/deleting.ts'
import { answer } from './desk/jobs/answer.ts'
import { type NotifyParts, notify } from './desk/jobs/notify.ts'
import { summarize } from './desk/jobs/summarize.ts'
import { transcribe } from './desk/jobs/transcribe.ts'
import type { Notice, NoticeWay, Notifier } from './desk/notifier.ts'
import type { TextSender } from './desk/text-sender.ts'
import { jobsWantedBy } from './desk/wanted.ts'
import { type Handlers, Working } from './desk/working.ts'
import { GatewayError } from './errors.ts'
import { limits } from './limits.ts'
import { mailNotifier } from './notifiers/mail.ts'
import type { Surroundings } from './own-asterisk.ts'
import { keptHandlers } from './own-kept.ts'
import type { Talks } from './own-recording.ts'
import { plainSound } from './recording/sound.ts'
import { soundFolders } from './recording/sound-files.ts'
import type { Scope } from './scope.ts'
import type { AfterCalls } from './server/dependencies.ts'
import { jobMetrics } from './server/job-metrics.ts'
import type { StateDir } from './state-dir.ts'
import { answeredSince } from './store/callers.ts'
import { eventsSince } from './store/calls.ts'
import { findSummary, findTranscript, transcriptsOf } from './store/digests.ts'
import type { Directory } from './store/directory.ts'
import { countFailedJobs } from './store/jobs.ts'
import { claimNotice, releaseNotice, storyOf } from './store/notices.ts'
import { soundStanding } from './store/recording-files.ts'
import { type Store, type StoreWork, wantedIn } from './store/store.ts'
import { textNotifier } from './twilio/notifier.ts'
import { missingForNotices } from './twilio-settings.ts'

export interface WorkParts {
  readonly state: StateDir
  readonly journal: Pick<Journal, 'id' | 'flushed' | 'read' | 'dropTaken'>
  readonly exchange: Pick<Exchange, 'live' | 'dropEnded'>
  readonly telephony: Talks
  readonly deleteSound: DeleteSound
  readonly store: Store
  readonly directory: Directory
  readonly observe: (event: CallEvent) => void
  readonly texts: TextSender | undefined
  readonly registry: Registry
  readonly scope: Scope
}

export interface Work extends StoreWork, AfterCalls {
  /** Once the database can be asked. */
  start(): void
}

/** What is done when the call is over. Closed before whoever it asks for things. */
export function workOf(surroundings: Surroundings, parts: WorkParts): Work {
  const { store, directory, scope, registry } = parts
  const failures = new FailedJobs(store)
  const count = jobMetrics(registry)
  const working = new Working({
    jobs: () => store.jobs,
    handlers: handlersOf(surroundings, parts),
    clock: systemClock,
    log: surroundings.log,
    ended(kind, how) {
      count(kind, how)
      if (how === 'failed') failures.look()
    },
  })
  scope.onClose(() => working.close())
  const kinds = new Set(working.kinds)
  const wantedBy: StoreWork['wantedBy'] = (event, known) =>
    jobsWantedBy(event, directory.find(event.business), known).filter(({ kind }) => kinds.has(kind))
  return {
    wantedBy,
    wanted: woken => working.wake(woken),
    get failed() {
      return failures.count
    },
    does: kind => kinds.has(kind),
    async retry(job) {
      const begun = (await store.jobs?.retry(job)) ?? false
      failures.look()
      if (begun) working.wake([job.kind])
      return begun
    },
    async rebuild(since) {
      const events = await wantAgain(store, wantedBy, since)
      working.wake(kinds)
      return events
    },
    start() {
      working.watch()
      failures.look()
      scope.onClose(every(systemClock, limits.jobs.tendMs, () => failures.look()))
    },
  }
}

/** How many are left to a person, as it was last asked: whoever looks at the gateway's state asks no database. */
class FailedJobs {
  readonly #store: Pick<Store, 'ask' | 'jobs'>
  count = 0

  constructor(store: Pick<Store, 'ask' | 'jobs'>) {
    this.#store = store
  }

  look(): void {
    if (!this.#store.jobs) return
    const counted = this.#store.ask(db => countFailedJobs(db, 'all'))
    // While the database is away what was known stands.
    void counted.then(
      count => {
        this.count = count
      },
      () => {},
    )
  }
}

/** Of everything since then, some of it at a time: what is known is not wanted twice. */
async function wantAgain(store: Store, wantedBy: StoreWork['wantedBy'], since: Date): Promise<number> {
  let read = 0
  for (let after = '0'; ; ) {
    const events = await store.ask(db => eventsSince(db, 'all', { since, after, count: limits.store.rowsAtOnce }))
    const last = events.at(-1)
    if (!last) return read
    const { jobs } = store
    if (!jobs) throw new GatewayError('STORE_AWAY', 'The database is away.', { retryable: true })
    const happened = events.map(({ event }) => event)
    await jobs.want(await store.ask(db => wantedIn(db, 'all', happened, wantedBy)))
    read += events.length
    after = last.id
  }
}

/** One for each kind. */
function handlersOf(surroundings: Surroundings, parts: WorkParts): Handlers {
  const { journal, store, directory, observe, texts, state } = parts
  const { transcriber, summarizer } = surroundings.digesters
  const shared = {
    ...{ tell: observe, kept: () => journal.flushed(), clock: systemClock },
    find: (business: string) => directory.find(business),
    record: (call: string) => storyIn(store, call),
  }
  const transcriptOf = (recording: string) => store.ask(db => findTranscript(db, 'all', recording))
  return {
    ...keptHandlers(surroundings, parts),
    notify: notify({
      ...shared,
      ...notifiersOf(surroundings, texts),
      claim: (notice, by) =>
        store.ask(db => claimNotice(db, 'all', { ...noticeId(notice, by), at: new Date(systemClock.wallMs()) })),
      served: caller => servedIn(store, caller),
      release: (notice, by) => store.ask(db => releaseNotice(db, 'all', noticeId(notice, by))),
    }),
    ...(transcriber && {
      transcribe: transcribe({
        ...{ ...shared, transcriber },
        sound: recording => plainSound(soundFolders(state.path), recording),
        async isElsewhere(name, call) {
          const { home } = await store.ask(db => soundStanding(db, 'all', { name, call }))
          return home !== null && home !== journal.id
        },
        async isDeleted(name, call) {
          await store.caughtUp()
          return (await store.ask(db => soundStanding(db, 'all', { name, call }))).deleted
        },
        async isWritten(recording) {
          await store.caughtUp()
          return (await transcriptOf(recording)) !== undefined
        },
      }),
    }),
    ...(summarizer && {
      summarize: summarize({
        ...{ ...shared, summarizer },
        isTold: async call => (await store.ask(db => findSummary(db, 'all', call))) !== undefined,
        transcripts: call => store.ask(db => transcriptsOf(db, 'all', call)),
      }),
      answer: answer({
        ...{ ...shared, summarizer, texts },
        words: async recording => (await transcriptOf(recording))?.text,
      }),
    }),
  }
}

function notifiersOf({ config: { smtp }, webhook }: Surroundings, sender: TextSender | undefined) {
  const notifiers: Notifier[] = [webhook]
  if (sender) notifiers.push(textNotifier(sender))
  if (smtp) notifiers.push(mailNotifier({ url: smtp.url.reveal(), from: smtp.from }))
  return { notifiers, missing: missingForNotices }
}

/** A trunk that hears 503 tries its next way at once: clocks of two gateways may differ by that. */
const CLOCKS_MS = 5_000

type Served = Parameters<NotifyParts['served']>[0]

async function servedIn(store: Store, { business, callerNumber, atMs }: Served): Promise<boolean> {
  if (callerNumber === undefined || !tellsWhoCalls(callerNumber)) return false
  return store.ask(db => answeredSince(db, { business }, callerNumber, new Date(atMs - CLOCKS_MS)))
}

function noticeId({ call, kind, about, business }: Notice, by: NoticeWay) {
  return { call, kind, by, about, business }
}

async function storyIn(store: Store, call: string) {
  await store.caughtUp()
  return store.ask(db => storyOf(db, 'all', call))
}
