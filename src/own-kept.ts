import type { Business } from './business.ts'
import type { CallEvent } from './call/events.ts'
import type { Exchange } from './call/exchange.ts'
import type { Journal } from './call/journal.ts'
import { unfinishedCalls } from './call/unfinished.ts'
import { every, systemClock } from './clock.ts'
import { type DeleteSound, deleting } from './desk/deleting.ts'
import { clean } from './desk/jobs/clean.ts'
import { convert } from './desk/jobs/convert.ts'
import { deliver } from './desk/jobs/deliver.ts'
import { forget } from './desk/jobs/forget.ts'
import { cleaningOf, forgettingOf } from './desk/wanted.ts'
import type { Handlers } from './desk/working.ts'
import { GatewayError } from './errors.ts'
import { limits } from './limits.ts'
import type { Surroundings } from './own-asterisk.ts'
import type { Talks } from './own-recording.ts'
import { captureFolder, listCaptures, removeCapture } from './recording/captured.ts'
import { convertAside } from './recording/converter.ts'
import { bestCodec } from './recording/opus.ts'
import { soundFolders, standsIn } from './recording/sound-files.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import { deliveryAttempted, deliveryNamed, deliveryUntold, isHookOff, keepDelivery } from './store/deliveries.ts'
import type { Directory } from './store/directory.ts'
import {
  type Caller,
  forgetSome,
  forgettingNamed,
  hasLiveCalls,
  isForgettingTold,
  journalsIn,
  openForgettings,
  soundsOfCaller,
} from './store/forgetting.ts'
import type { WantedJob } from './store/jobs.ts'
import { storyOf } from './store/notices.ts'
import { recordingsOfCall, soundStanding, soundsBefore } from './store/recording-files.ts'
import { areWordsInUse, dropWords, wordsWentElsewhere } from './store/sound-words.ts'
import type { Store, StoreWork } from './store/store.ts'

interface KeptParts {
  readonly state: StateDir
  readonly journal: Pick<Journal, 'id' | 'flushed' | 'read' | 'dropTaken'>
  readonly exchange: Pick<Exchange, 'live' | 'dropEnded'>
  readonly telephony: Talks
  readonly store: Store
  readonly directory: Pick<Directory, 'find'> & { readonly all: readonly Pick<Business, 'id'>[] }
  readonly observe: (event: CallEvent) => void
  readonly deleteSound: DeleteSound
}

/** What is done with files, and what integrators are told. */
export function keptHandlers({ sendHook, log }: Pick<Surroundings, 'sendHook' | 'log'>, parts: KeptParts): Handlers {
  const { state, journal, store, directory, observe, exchange } = parts
  const clock = systemClock
  const shared = { tell: observe, kept: () => journal.flushed(), home: journal.id, clock }
  const folders = soundFolders(state.path)
  const standing = (sound: { readonly name: string; readonly call: string }) =>
    store.ask(db => soundStanding(db, 'all', sound))
  return {
    convert: convert({
      ...shared,
      ...{ folders, standing },
      encoder: bestCodec,
      convert: convertAside,
      recordingsOf: call => store.ask(db => recordingsOfCall(db, 'all', call)),
      mayGoOn: call =>
        parts.telephony.talking(call) !== undefined ||
        exchange.live.some(({ id, record }) => [id, record].includes(call)),
    }),
    clean: clean({
      ...{ clock, home: journal.id, deleteSound: parts.deleteSound, words: wordsIn(parts) },
      businesses: () => directory.all.flatMap(({ id }) => directory.find(id) ?? []),
      due: (kind, business, before) =>
        store.ask(db => soundsBefore(db, 'all', { kind, business, before, home: journal.id })),
      isDeleted: async sound => (await standing(sound)).deleted,
      isHere: ({ kind, name }) => standsIn(kind === 'recording' ? folders.recordings : folders.voicemail, name),
    }),
    forget: forget(forgettingIn(parts)),
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
      untold: (id, why) => store.ask(db => deliveryUntold(db, 'all', id, why)),
      isOff: (business, hook) => store.ask(db => isHookOff(db, 'all', { business, hook })),
    }),
  }
}

function forgettingIn(parts: KeptParts): Parameters<typeof forget>[0] {
  const { journal, store, exchange, observe, deleteSound } = parts
  return {
    ...{ home: journal.id, tell: observe, deleteSound, clock: systemClock },
    kept: () => keptInRecord(journal, store),
    asked: id => store.ask(db => forgettingNamed(db, 'all', id)),
    isLive: theirCalls(exchange, store),
    async sounds(caller) {
      await store.caughtUp()
      return store.ask(db => soundsOfCaller(db, 'all', caller))
    },
    forgetSome: caller => store.ask(db => forgetSome(db, 'all', caller)),
    async isTold(id) {
      await store.caughtUp()
      return store.ask(db => isForgettingTold(db, 'all', id))
    },
    journals: () => store.ask(db => journalsIn(db, 'all')),
    async want(jobs) {
      if (!store.jobs) throw new GatewayError('STORE_AWAY', 'The database is away.', { retryable: true })
      await store.jobs.want(jobs)
    },
    dropWritten: () => dropWritten(parts),
  }
}

/** From the journal of this gateway, from its memory, and from captures. */
async function dropWritten({ state, journal, store, exchange }: KeptParts): Promise<void> {
  const settled = () => store.settled()
  const dropped = await journal.dropTaken({ settled, notOver: () => unfinishedCalls(journal) })
  // What the database has is told from there.
  exchange.dropEnded()
  const captures = captureFolder(state.path)
  for (const { id, call } of await listCaptures(captures)) {
    const { deleted } = await store.ask(db => soundStanding(db, 'all', { name: id, call }))
    if (deleted) await removeCapture(captures, id)
  }
  if (!dropped) throw new GatewayError('STORE_AWAY', 'The journal waits for the database.', { retryable: true })
}

function wordsIn(parts: KeptParts): Parameters<typeof clean>[0]['words'] {
  const { store, journal } = parts
  return {
    async isElsewhere(name, call) {
      const { home } = await store.ask(db => soundStanding(db, 'all', { name, call }))
      return home !== null && home !== journal.id
    },
    areInUse: (recording, call) => store.ask(db => areWordsInUse(db, 'all', { recording, call })),
    async drop(recording) {
      // Whoever has just been done with them has told it.
      await keptInRecord(journal, store)
      return store.ask(db => db.transaction().execute(transaction => dropWords(transaction, [recording])))
    },
    dropWritten: () => dropWritten(parts),
    wentElsewhere() {
      // A gateway that was away for longer is not asked what it knew.
      const since = new Date(systemClock.wallMs() - limits.jobs.keptMs)
      return store.ask(db => wordsWentElsewhere(db, 'all', { home: journal.id, since }))
    },
  }
}

/** What is asked of sounds from outside, and of those who are heard in them. */
export function soundParts(
  { path }: StateDir,
  { deleteSound, exchange, store }: Pick<KeptParts, 'deleteSound' | 'exchange' | 'store'>,
) {
  const onTheTelephone = theirCalls(exchange, store)
  return { sounds: soundFolders(path), captures: captureFolder(path), deleteSound, onTheTelephone }
}

/** At any gateway. */
function theirCalls(exchange: Pick<Exchange, 'live'>, store: Pick<Store, 'ask'>) {
  return async (caller: Caller): Promise<boolean> => {
    const { business, number } = caller
    const isHere = exchange.live.some(({ view }) => view.business === business && view.callerNumber === number)
    const since = new Date(systemClock.wallMs() - limits.recording.seconds * 1_000)
    return isHere || store.ask(db => hasLiveCalls(db, 'all', caller, since))
  }
}

async function keptInRecord(journal: Pick<Journal, 'flushed'>, store: Pick<Store, 'caughtUp'>): Promise<void> {
  await journal.flushed()
  await store.caughtUp()
}

/** A sound that is kept here. */
export function deletingIn({
  state,
  journal,
  store,
  observe,
}: Pick<KeptParts, 'state' | 'journal' | 'store' | 'observe'>): DeleteSound {
  const folders = soundFolders(state.path)
  return deleting({ folders, tell: observe, kept: () => keptInRecord(journal, store), clock: systemClock })
}

/** Once a day; asked for more often, for a gateway may begin at any hour, and what somebody asked for is not lost between two steps. */
export function cleanDaily(
  want: (job: WantedJob) => Promise<void>,
  { store, home }: { readonly store: Pick<Store, 'ask'>; readonly home: string },
  scope: Scope,
): void {
  const look = async () => {
    const day = new Date(systemClock.wallMs()).toISOString().slice(0, 10)
    await want(cleaningOf(day, home))
    for (const { id, business } of await store.ask(db => openForgettings(db, 'all')))
      await want(forgettingOf(id, business))
  }
  // Without a database it is asked for again in an hour.
  const tryTo = () => void look().catch(() => {})
  tryTo()
  scope.onClose(every(systemClock, limits.recording.cleanMs, tryTo))
}

/** What somebody has asked for, and does not wait for. */
export function askedWork(store: Pick<Store, 'jobs'>, { wanted }: Pick<StoreWork, 'wanted'>) {
  return async (job: WantedJob): Promise<void> => {
    if (!store.jobs) throw new GatewayError('STORE_AWAY', 'The database is away.', { retryable: true })
    await store.jobs.want([job])
    wanted(new Set([job.kind]))
  }
}
