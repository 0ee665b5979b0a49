import type { Business } from './business.ts'
import type { CallEvent } from './call/events.ts'
import type { Journal } from './call/journal.ts'
import { every, systemClock } from './clock.ts'
import { type DeleteSound, deleting } from './desk/deleting.ts'
import { clean } from './desk/jobs/clean.ts'
import { convert } from './desk/jobs/convert.ts'
import { deliver } from './desk/jobs/deliver.ts'
import type { Handlers } from './desk/working.ts'
import { GatewayError } from './errors.ts'
import { limits } from './limits.ts'
import type { Surroundings } from './own-asterisk.ts'
import { convertAside } from './recording/converter.ts'
import { bestEncoder } from './recording/opus.ts'
import { soundFolders } from './recording/sound-files.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import { deliveryAttempted, deliveryNamed, isHookOff, keepDelivery } from './store/deliveries.ts'
import type { Directory } from './store/directory.ts'
import type { WantedJob } from './store/jobs.ts'
import { storyOf } from './store/notices.ts'
import { isSoundDeleted, recordingsOfCall, soundsBefore } from './store/recording-files.ts'
import type { Store, StoreWork } from './store/store.ts'

interface KeptParts {
  readonly state: Pick<StateDir, 'path'>
  readonly journal: Pick<Journal, 'flushed'>
  readonly store: Store
  readonly directory: Pick<Directory, 'find'> & { readonly all: readonly Pick<Business, 'id'>[] }
  readonly observe: (event: CallEvent) => void
}

/** What is done with files, and what integrators are told. */
export function keptHandlers({ sendHook, log }: Pick<Surroundings, 'sendHook' | 'log'>, parts: KeptParts): Handlers {
  const { state, journal, store, directory, observe } = parts
  const clock = systemClock
  const shared = { tell: observe, kept: () => journal.flushed(), clock }
  return {
    convert: convert({
      ...shared,
      folders: soundFolders(state.path),
      encoder: bestEncoder,
      convert: convertAside,
      isDeleted: name => store.ask(db => isSoundDeleted(db, 'all', name)),
      recordingsOf: call => store.ask(db => recordingsOfCall(db, 'all', call)),
    }),
    clean: clean({
      businesses: () => directory.all.flatMap(({ id }) => directory.find(id) ?? []),
      due: (kind, business, before) => store.ask(db => soundsBefore(db, 'all', { kind, business, before })),
      deleteSound: deletingIn(parts),
      known: () => store.caughtUp(),
      clock,
    }),
    deliver: deliver({
      ...{ send: sendHook, clock, log },
      find: id => directory.find(id),
      async record(call) {
        await store.caughtUp()
        return store.ask(db => storyOf(db, 'all', call))
      },
      stored: id => store.ask(db => deliveryNamed(db, 'all', id)),
      keep: delivery => store.ask(db => keepDelivery(db, 'all', delivery)),
      attempted: (id, attempt) => store.ask(db => deliveryAttempted(db, 'all', id, attempt)),
      isOff: (business, hook) => store.ask(db => isHookOff(db, 'all', { business, hook })),
    }),
  }
}

/** A sound that is kept here. */
export function deletingIn({ state, journal, observe }: Pick<KeptParts, 'state' | 'journal' | 'observe'>): DeleteSound {
  const folders = soundFolders(state.path)
  return deleting({ folders, tell: observe, kept: () => journal.flushed(), clock: systemClock })
}

/** Once a day; asked for more often, for a gateway may begin at any hour. */
export function cleanDaily(want: (job: WantedJob) => Promise<void>, scope: Scope): void {
  const look = () => {
    const day = new Date(systemClock.wallMs()).toISOString().slice(0, 10)
    // Without a database it is asked for again in an hour.
    void want({ kind: 'clean', key: day, business: '', subject: { day } }).catch(() => {})
  }
  look()
  scope.onClose(every(systemClock, limits.recording.cleanMs, look))
}

/** What somebody has asked for, and does not wait for. */
export function askedWork(store: Pick<Store, 'jobs'>, { wanted }: Pick<StoreWork, 'wanted'>) {
  return async (job: WantedJob): Promise<void> => {
    if (!store.jobs) throw new GatewayError('STORE_AWAY', 'The database is away.', { retryable: true })
    await store.jobs.want([job])
    wanted(new Set([job.kind]))
  }
}
