import type { Exchange } from './call/exchange.ts'
import { every, systemClock } from './clock.ts'
import { asError, GatewayError } from './errors.ts'
import { limits } from './limits.ts'
import type { Log } from './log.ts'
import type { PlaneHandle } from './plane/handle.ts'
import { captureFolder, sweepCaptures } from './recording/captured.ts'
import { findRecordings } from './recording/found.ts'
import { recordingThread } from './recording/open-recorder.ts'
import { Recorders } from './recording/recorder.ts'
import { soundFolders } from './recording/sound-files.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import { recordingsById } from './store/call-recordings.ts'
import type { Store } from './store/store.ts'

/** What is heard is kept under STATE_DIR. */
export function recordersOf(state: StateDir, plane: PlaneHandle, log: Log, scope: Scope): Recorders {
  const { recordings: both, voicemail: caller } = soundFolders(state.path)
  const recorders = new Recorders({
    clock: systemClock,
    plane,
    connectKeeper: recordingThread,
    folders: { both, caller, captures: captureFolder(state.path) },
    trouble: text => log.error(text),
  })
  scope.onClose(() => recorders.close())
  recorders.look()
  scope.onClose(every(systemClock, limits.recording.diskIdleMs, () => recorders.look()))
  return recorders
}

/** Now and each hour: a capture is gone after its day, whoever is up then. */
export function sweepOldCaptures(state: StateDir, log: Log, scope: Scope): void {
  const sweep = () =>
    void sweepCaptures(captureFolder(state.path), systemClock.wallMs()).catch(error =>
      log.error(`What was captured cannot be removed: ${asError(error).message}`),
    )
  sweep()
  scope.onClose(every(systemClock, limits.recording.cleanMs, sweep))
}

interface FoundParts {
  readonly state: Pick<StateDir, 'path'>
  readonly store: Pick<Store, 'caughtUp' | 'failing' | 'ask'>
  readonly exchange: Pick<Exchange, 'live' | 'ended' | 'foundLater'>
  readonly telephony: Talks
  readonly log: Log
}

/** Of a caller whom an earlier life has connected with somebody else: settles when that is over. */
export interface Talks {
  talking(call: string): Promise<void> | undefined
}

/** To be called when whoever goes on is here. */
export function lookForRecordings(parts: FoundParts, scope: Scope): void {
  const look = async () => {
    const talks = await tellFoundRecordings(parts)
    // Whoever comes back goes on in the same file; of the others it is told then.
    if (talks.length > 0) void Promise.race(talks).then(() => scope.closed || lookForRecordings(parts, scope))
  }
  tellUntil(look, scope, why => parts.log.error(`What an earlier life has recorded is looked for again later: ${why}`))
}

/** Of what an earlier life has left on the disk; gives out what may go on: of callers who talk with somebody else. */
export async function tellFoundRecordings({
  state,
  store,
  exchange,
  telephony,
  log,
}: FoundParts): Promise<readonly Promise<void>[]> {
  await store.caughtUp()
  if (store.failing) throw new GatewayError('STORE_AWAY', 'What was told before is not known.', { retryable: true })
  const talks: Promise<void>[] = []
  const isOurs = (call: string) =>
    [...exchange.live, ...exchange.ended].some(({ id, record }) => id === call || record === call)
  const { events, strange } = await findRecordings({
    folder: soundFolders(state.path).recordings,
    known: async ids => {
      const rows = await store.ask(db => recordingsById(db, 'all', ids))
      return rows.map(row => ({ ...row, ended: row.ended_why !== null, converted: row.converted_at !== null }))
    },
    mayGoOn(call) {
      const talk = telephony.talking(call)
      if (talk) talks.push(talk)
      return talk !== undefined || isOurs(call)
    },
    nowMs: systemClock.wallMs(),
  })
  for (const event of events) exchange.foundLater(event)
  for (const recording of strange) log.warn({ recording }, 'a recording stands on the disk and in no table')
  return talks
}

/** What was told before is known by the database alone, which may be away. */
export function tellUntil(tell: () => Promise<void>, scope: Scope, trouble: (why: string) => void = () => {}): void {
  let cancel = () => {}
  scope.onClose(() => cancel())
  const attempt = () =>
    tell().catch(error => {
      if (scope.closed) return
      trouble(asError(error).message)
      cancel = systemClock.after(limits.jobs.lookMs, attempt)
    })
  void attempt()
}
