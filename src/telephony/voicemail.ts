import { GatewayError } from '../errors.ts'
import type { Ari } from './ari.ts'

/** A recording that the dialplan's fallback has taken while the gateway was away. */
export interface FallbackVoicemail {
  readonly name: string
  /** The id that the caller's leg had, or would have had. */
  readonly call: string
  /** When the recording began, in milliseconds since 1970. */
  readonly atMs: number
  readonly callerNumber: string | undefined
  fetch(): Promise<Uint8Array>
  remove(): Promise<void>
}

/** Settles when the voicemail is safe; one that rejects is offered again. */
export type VoicemailListener = (voicemail: FallbackVoicemail) => Promise<void>

type Named = Omit<FallbackVoicemail, 'fetch' | 'remove'>

const notStored = { code: 'STATE_UNWRITABLE', message: 'It could not be stored.' } as const

/** Offers each voicemail once, one after the other, when its caller has hung up. */
export class VoicemailCollector {
  readonly #ari: Ari
  readonly #trouble: (error: GatewayError) => void
  #safe: ReadonlySet<string> = new Set()
  #collecting = false

  constructor(ari: Ari, trouble: (error: GatewayError) => void) {
    this.#ari = ari
    this.#trouble = trouble
  }

  async collect(liveChannels: ReadonlySet<string>, listener: VoicemailListener): Promise<void> {
    if (this.#collecting) return
    this.#collecting = true
    try {
      const names = await this.#ari.storedRecordings()
      const safe = new Set(names.filter(name => this.#safe.has(name)))
      this.#safe = safe
      for (const name of names) {
        const voicemail = readVoicemailName(name)
        if (!voicemail || safe.has(name) || liveChannels.has(voicemail.call)) continue
        if (await this.#offer(voicemail, listener)) safe.add(name)
      }
    } finally {
      this.#collecting = false
    }
  }

  async #offer(voicemail: Named, listener: VoicemailListener): Promise<boolean> {
    const fetch = () => this.#ari.fetchRecording(voicemail.name)
    const remove = () => this.#ari.deleteRecording(voicemail.name)
    try {
      await listener({ ...voicemail, fetch, remove })
      return true
    } catch (thrown) {
      // Not the words of an error of the file system: they hold the file's name, and that the caller's number.
      const { code, message } = thrown instanceof GatewayError ? thrown : notStored
      this.#trouble(new GatewayError(code, `A voicemail was not picked up and will be tried again. ${message}`))
      return false
    }
  }
}

/** `voicemail-<seconds since 1970>-<number, or unknown>-<unique id of the channel>`, as the dialplan names them. */
export function readVoicemailName(name: string): Named | undefined {
  const [, seconds, caller, call] = /^voicemail-(\d{1,12})-([+\d]+|unknown)-(.+)$/.exec(name) ?? []
  if (!seconds || !caller || !call) return undefined
  return { name, atMs: Number(seconds) * 1_000, call, callerNumber: /^\+?\d+$/.test(caller) ? caller : undefined }
}
