import { tellsWhoCalls } from './call/caller-number.ts'
import type { CallEvent } from './call/events.ts'
import type { Journal } from './call/journal.ts'
import { systemClock } from './clock.ts'
import { type NotifyParts, notify } from './desk/jobs/notify.ts'
import type { Notice, NoticeWay, Notifier } from './desk/notifier.ts'
import type { TextSender } from './desk/text-sender.ts'
import { jobsWantedBy } from './desk/wanted.ts'
import { type Handlers, Working } from './desk/working.ts'
import { mailNotifier } from './notifiers/mail.ts'
import type { Surroundings } from './own-asterisk.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import { answeredSince } from './store/callers.ts'
import type { Directory } from './store/directory.ts'
import { claimNotice, releaseNotice, storyOf } from './store/notices.ts'
import type { Store, StoreWork } from './store/store.ts'
import { textNotifier } from './twilio/notifier.ts'
import { missingForNotices } from './twilio-settings.ts'

export interface WorkParts {
  readonly state: StateDir
  readonly journal: Pick<Journal, 'flushed'>
  readonly store: Store
  readonly directory: Directory
  readonly observe: (event: CallEvent) => void
  readonly texts: TextSender | undefined
  readonly scope: Scope
}

export interface Work extends StoreWork {
  /** Once the database can be asked. */
  start(): void
}

/** What is done when the call is over. Closed before whoever it asks for things. */
export function workOf(surroundings: Surroundings, parts: WorkParts): Work {
  const { store, directory, scope } = parts
  const working = new Working({
    jobs: () => store.jobs,
    handlers: handlersOf(surroundings, parts),
    clock: systemClock,
    log: surroundings.log,
  })
  scope.onClose(() => working.close())
  const kinds = new Set(working.kinds)
  return {
    wantedBy: event => jobsWantedBy(event, directory.find(event.business)).filter(({ kind }) => kinds.has(kind)),
    wanted: woken => working.wake(woken),
    start: () => working.watch(),
  }
}

/** One for each kind. */
function handlersOf(surroundings: Surroundings, parts: WorkParts): Handlers {
  const { journal, store, directory, observe } = parts
  const shared = {
    ...{ tell: observe, kept: () => journal.flushed(), clock: systemClock },
    find: (business: string) => directory.find(business),
    record: (call: string) => storyIn(store, call),
  }
  return {
    notify: notify({
      ...shared,
      ...notifiersOf(surroundings, parts.texts),
      served: caller => servedIn(store, caller),
      claim: (notice, by) =>
        store.ask(db => claimNotice(db, 'all', { ...noticeId(notice, by), at: new Date(systemClock.wallMs()) })),
      release: (notice, by) => store.ask(db => releaseNotice(db, 'all', noticeId(notice, by))),
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

function noticeId({ call, kind, business }: Notice, by: NoticeWay) {
  return { call, kind, by, business }
}

async function storyIn(store: Store, call: string) {
  await store.caughtUp()
  return store.ask(db => storyOf(db, 'all', call))
}
