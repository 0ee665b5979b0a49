import { GatewayError } from '../errors.ts'
import type { Ari } from './ari.ts'

/** A recording that the dialplan's fallback has taken while the gateway was away. */
export interface FallbackVoicemail {
  readonly name: string
  /** When the recording began, in milliseconds since 1970. */
  readonly atMs: number
  readonly callerNumber: string | undefined
  fetch(): Promise<Uint8Array>
  remove(): Promise<void>
}

/** Settles when the voicemail is safe; one that rejects is offered again. */
export type VoicemailListener = (voicemail: FallbackVoicemail) => Promise<void>

type Named = Pick<FallbackVoicemail, 'name' | 'atMs' | 'callerNumber'> & { readonly channel: string }

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
        if (!voicemail || safe.has(name) || liveChannels.has(voicemail.channel)) continue
        if (await this.#offer(voicemail, listener)) safe.add(name)
      }
    } finally {
      this.#collecting = false
    }
  }

  async #offer({ name, atMs, callerNumber }: Named, listener: VoicemailListener): Promise<boolean> {
    const fetch = () => this.#ari.fetchRecording(name)
    const remove = () => this.#ari.deleteRecording(name)
    try {
      await listener({ name, atMs, callerNumber, fetch, remove })
      return true
    } catch (thrown) {
      const words = thrown instanceof GatewayError ? thrown.message : 'it could not be stored'
      this.#trouble(
        new GatewayError('ARI_REJECTED', `A voicemail was not picked up and will be tried again: ${words}.`),
      )
      return false
    }
  }
}

/** `voicemail-<seconds since 1970>-<digits, or unknown>-<unique id of the channel>`, as the dialplan names them. */
export function readVoicemailName(name: string): Named | undefined {
  const [, seconds, caller, channel] = /^voicemail-(\d{1,12})-(\d+|unknown)-(.+)$/.exec(name) ?? []
  if (!seconds || !caller || !channel) return undefined
  return { name, atMs: Number(seconds) * 1_000, callerNumber: caller === 'unknown' ? undefined : caller, channel }
}
