import { join } from 'node:path'
import type { CallEvent } from '../../../src/call/events.ts'
import { type Journal, openJournal } from '../../../src/call/journal.ts'
import { type Clock, systemClock } from '../../../src/clock.ts'
import { createLog } from '../../../src/log.ts'
import { Secret } from '../../../src/secret.ts'
import { Store, type StoreWork } from '../../../src/store/store.ts'
import { Fetching } from '../../../src/twilio/fetching.ts'
import { TwilioServer } from '../../support/twilio-server.ts'

export interface Place {
  /** Where its journal and its voicemails are. */
  readonly state: string
  /** Of the embedded database, or nothing and a server. */
  readonly folder: string
  readonly url: string | undefined
}

/** The system's, so much later and so much faster: what waits for minutes is there at once. */
export function laterClock(shiftMs = 0, faster = 1): Clock {
  return {
    now: () => systemClock.now(),
    wallMs: () => systemClock.wallMs() + shiftMs,
    after: (delayMs, run) => systemClock.after(delayMs / faster, run),
  }
}

export const account = (baseUrl: string) => ({
  accountSid: TwilioServer.account.sid,
  authToken: new Secret(TwilioServer.account.authToken),
  apiKey: undefined,
  apiSecret: undefined,
  baseUrl,
})

/** Of a gateway its journal, its database and what fetches recordings, wired as there. */
export async function deskNode(
  { state, folder, url }: Place,
  twilio: string,
  clock: Clock = systemClock,
  work?: StoreWork,
) {
  const trouble: string[] = []
  const note = (text: string) => void trouble.push(text)
  const journal: Journal = await openJournal({ directory: join(state, 'journal'), clock: systemClock, trouble: note })
  const store = new Store({
    ...{ url, folder, source: journal, clock: systemClock, trouble: note },
    ...(work && { work }),
  })
  await store.open()
  const told: CallEvent[] = []
  const tell = (event: CallEvent) => {
    told.push(event)
    journal.append(event)
  }
  const shared = { store, tell, kept: () => journal.flushed(), clock, log: createLog('silent') }
  const voicemails = join(state, 'voicemail')
  const fetching = new Fetching({ ...shared, account: account(twilio), directory: voicemails })
  return {
    ...{ journal, store, shared, tell, told, trouble, fetching, voicemails },
    async caughtUp() {
      await journal.flushed()
      await store.caughtUp()
    },
    async close() {
      await fetching.close()
      await journal.flushed()
      await store.close()
      await journal.close()
    },
  }
}

/** A second of silence, as Twilio has it. */
export function wave(seconds = 1): Buffer {
  const bytes = 16_000 * seconds
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(bytes + 36, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8_000, 24)
  head.writeUInt32LE(16_000, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(bytes, 40)
  return Buffer.concat([head, Buffer.alloc(bytes)])
}
