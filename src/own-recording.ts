import { join } from 'node:path'
import type { Exchange } from './call/exchange.ts'
import type { Journal } from './call/journal.ts'
import { systemClock } from './clock.ts'
import { asError } from './errors.ts'
import type { Log } from './log.ts'
import type { PlaneHandle } from './plane/handle.ts'
import { findRecordings } from './recording/found.ts'
import { recordingThread } from './recording/open-recorder.ts'
import { Recorders } from './recording/recorder.ts'
import { soundFolders } from './recording/sound-files.ts'
import { secondsOfWav, storeVoicemail } from './recording/voicemail.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import { businessOfCall } from './store/businesses.ts'
import { recordingsById } from './store/call-recordings.ts'
import type { Directory } from './store/directory.ts'
import type { Store } from './store/store.ts'
import type { FallbackVoicemail } from './telephony/voicemail.ts'

interface Parts {
  readonly state: StateDir
  readonly journal: Pick<Journal, 'flushed'>
  readonly store: Store
  readonly exchange: Pick<Exchange, 'find' | 'foundLater'>
  readonly directory: Pick<Directory, 'standard'>
  /** Settles when the database has been opened, or could not be. */
  readonly opened: () => Promise<void>
}

/**
 * Keeps what the dialplan has recorded while no gateway was there. A voicemail is a file plus an event; only when both are on
 * the disk does Asterisk's copy go.
 */
export function fallbackVoicemails(parts: Parts): (voicemail: FallbackVoicemail) => Promise<void> {
  const { state, journal, exchange, directory } = parts
  return async voicemail => {
    const { name: recording, call, atMs, callerNumber } = voicemail
    const business = exchange.find(call)?.view.business ?? (await businessInStore(parts, call)) ?? directory.standard.id
    const audio = await voicemail.fetch()
    await storeVoicemail(join(state.path, 'voicemail'), recording, audio)
    exchange.foundLater({
      call,
      business,
      atMs,
      fact: { name: 'voicemailLeft', seconds: secondsOfWav(audio), private: { recording, callerNumber } },
    })
    await journal.flushed()
    await voicemail.remove()
  }
}

/**
 * Of a call from an earlier life of the gateway the journal tells, by way of the database. Nothing where it cannot be known:
 * the caller never reached a gateway, or the database is away.
 */
async function businessInStore({ store, opened }: Parts, call: string): Promise<string | undefined> {
  await opened()
    .then(() => store.caughtUp())
    .catch(() => {})
  return store.ask(db => businessOfCall(db, 'all', call)).catch(() => undefined)
}

/** What is heard is kept under STATE_DIR. */
export function recordersOf(state: StateDir, plane: PlaneHandle, log: Log, scope: Scope): Recorders {
  const { recordings: both, voicemail: caller } = soundFolders(state.path)
  const recorders = new Recorders({
    clock: systemClock,
    plane,
    connectKeeper: recordingThread,
    folders: { both, caller },
    trouble: text => log.error(text),
  })
  scope.onClose(() => recorders.close())
  return recorders
}

/** Of what an earlier life has left on the disk; whoever goes on is here by now. */
export async function tellFoundRecordings(state: StateDir, store: Store, exchange: Exchange, log: Log): Promise<void> {
  try {
    await store.caughtUp()
    const { events, strange } = await findRecordings({
      folder: soundFolders(state.path).recordings,
      known: async ids => {
        const rows = await store.ask(db => recordingsById(db, 'all', ids))
        return rows.map(row => ({ ...row, ended: row.ended_why !== null, converted: row.converted_at !== null }))
      },
      isLive: call => exchange.live.some(({ id }) => id === call),
      nowMs: systemClock.wallMs(),
    })
    for (const event of events) exchange.foundLater(event)
    for (const recording of strange) log.warn({ recording }, 'a recording stands on the disk and in no table')
  } catch (error) {
    log.error(`What an earlier life has recorded is not looked for: ${asError(error).message}`)
  }
}
