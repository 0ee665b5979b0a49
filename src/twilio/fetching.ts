import type { CallEvent } from '../call/events.ts'
import { type Clock, every } from '../clock.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { storeVoicemail } from '../recording/voicemail.ts'
import { type AwaitedRecording, claimRecordings } from '../store/recordings.ts'
import type { Store } from '../store/store.ts'
import { type Account, soundOf, Unfetched } from './sound.ts'

export interface FetchingParts {
  readonly account: Account
  /** Where voicemails are kept. */
  readonly directory: string
  readonly store: Pick<Store, 'ask' | 'caughtUp'>
  readonly tell: (event: CallEvent) => void
  readonly kept: () => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Fetches what callers have said into recordings of the carrier, each until it is here: a file first, then its event. A row
 * stays open over any crash between the two, and the same file is then fetched once more.
 */
export class Fetching {
  readonly #with: FetchingParts
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined
  #again = false
  #stopLooking = () => {}

  constructor(parts: FetchingParts) {
    this.#with = parts
  }

  /** Now, and from time to time: what an earlier life has left, and what could not be had before. */
  watch(): void {
    this.wake()
    this.#stopLooking = every(this.#with.clock, limits.twilio.recording.lookMs, () => this.wake())
  }

  /** There is something to fetch, or may be. */
  wake(): void {
    if (this.#closing.signal.aborted) return
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#again) this.wake()
    })
  }

  async close(): Promise<void> {
    this.#stopLooking()
    this.#closing.abort(new Error('The gateway stops.'))
    this.#again = false
    await this.#running
  }

  async #run(): Promise<void> {
    this.#again = false
    try {
      await this.#with.store.caughtUp()
      while (!this.#closing.signal.aborted && (await this.#fetchSome()) > 0);
    } catch (error) {
      this.#with.log.warn({ err: error }, 'recordings could not be looked for')
    }
  }

  async #fetchSome(): Promise<number> {
    const { store, clock } = this.#with
    const { atOnce, retryMs } = limits.twilio.recording
    const claim = { at: new Date(clock.wallMs()), most: atOnce, retryMs }
    const claimed = await store.ask(db => claimRecordings(db, 'all', claim))
    await Promise.all(claimed.map(each => this.#fetch(each)))
    return claimed.length
  }

  async #fetch(awaited: AwaitedRecording): Promise<void> {
    const { account, directory, tell, kept, clock, log } = this.#with
    const { recording, call, business, seconds, attempts, caller_number: callerNumber, of_reception } = awaited
    const event = { call, business, atMs: clock.wallMs() }
    try {
      const audio = await soundOf(recording, account, this.#closing.signal)
      await storeVoicemail(directory, recording, audio)
      const hidden = { recording, callerNumber: callerNumber ?? undefined }
      const by = of_reception ? ({ by: 'reception' } as const) : {}
      tell({ ...event, fact: { name: 'voicemailLeft', seconds, ...by, private: hidden } })
      await kept()
    } catch (error) {
      if (this.#closing.signal.aborted) return
      const { message } = asError(error)
      const hopeless = error instanceof Unfetched && error.forGood
      const last = hopeless || attempts >= limits.twilio.recording.attempts
      const more = last ? 'it is given up, and stays with the carrier' : 'it is tried again'
      log[last ? 'error' : 'warn'](
        { call, business, recording, attempts },
        `a message could not be fetched: ${message}; ${more}`,
      )
      if (last) tell({ ...event, fact: { name: 'recordingGivenUp', recording, why: message } })
    }
  }
}
