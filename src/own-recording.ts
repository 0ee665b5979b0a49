import { join } from 'node:path'
import type { Exchange } from './call/exchange.ts'
import type { Journal } from './call/journal.ts'
import { secondsOfWav, storeVoicemail } from './recording/voicemail.ts'
import type { StateDir } from './state-dir.ts'
import { businessOfCall } from './store/businesses.ts'
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
