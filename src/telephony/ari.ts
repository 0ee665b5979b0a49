import type { Law } from '../media/audio.ts'
import type { Address } from '../plane/line.ts'

/**
 * What the gateway asks of Asterisk, and nothing more. Every request has a time limit and rejects with a GatewayError:
 * CHANNEL_GONE when the channel has ended or has left our application, ARI_REJECTED with Asterisk's status and words,
 * ARI_TIMEOUT, ARI_UNREACHABLE, ARI_REFUSED. What is to be removed and is already gone counts as removed.
 */
export interface Ari {
  ping(): Promise<void>
  answer(channel: string): Promise<void>
  /** Begins to send them; w waits half a second. */
  sendDigits(channel: string, keys: SentKeys): Promise<void>
  hangup(channel: string, reason: AriHangupReason): Promise<void>
  continueInDialplan(channel: string, place: DialplanPlace): Promise<void>
  /** All of them or none: nothing when one is not set. */
  variables<Name extends string>(channel: string, names: readonly Name[]): Promise<Record<Name, string> | undefined>
  setVariables(channel: string, values: Readonly<Record<string, string>>): Promise<void>
  /** Tells where Asterisk listens. The channel is of use only after it has entered the application. */
  createExternalMedia(media: ExternalMedia): Promise<Address>
  createBridge(bridge: string): Promise<void>
  addToBridge(bridge: string, channels: readonly string[]): Promise<void>
  destroyBridge(bridge: string): Promise<void>
  channels(): Promise<AriChannel[]>
  bridges(): Promise<AriBridge[]>
  /** The channels that are in our application. */
  ownChannels(): Promise<string[]>
  storedRecordings(): Promise<string[]>
  fetchRecording(name: string): Promise<Uint8Array>
  deleteRecording(name: string): Promise<void>
}

/** An Asterisk that can be connected to, again and again. */
export interface AriEndpoint extends Ari {
  /** Settles once events flow. `lost` is called once, unless the connection was closed by us. */
  connect(listener: AriListener): Promise<AriConnection>
}

export interface AriListener {
  event(event: AriEvent): void
  /** Something came that could not be understood; it was dropped. */
  unreadable(problem: string): void
  lost(reason: string): void
}

export interface AriConnection {
  /** Settles when the far end has answered on the events socket. */
  ping(): Promise<void>
  close(): void
}

export type AriHangupReason = 'normal' | 'busy' | 'congestion' | 'no_answer' | 'rejected'

export interface SentKeys {
  readonly digits: string
  readonly downMs: number
  readonly upMs: number
}

export interface DialplanPlace {
  readonly context: string
  readonly extension: string
  readonly priority: number
}

export interface ExternalMedia {
  readonly channel: string
  readonly law: Law
  /** Where the gateway listens. */
  readonly host: Address
}

export interface AriChannel {
  readonly id: string
  readonly name: string
  readonly state: string
}

export interface AriBridge {
  readonly id: string
  readonly technology: string
  readonly channels: readonly string[]
}

export type ChannelEvent =
  | { readonly kind: 'entered'; readonly channel: string; readonly args: readonly string[] }
  /** The channel has ended or has left the application. */
  | { readonly kind: 'left'; readonly channel: string }
  /** The channel leaves soon after. The cause is of Q.850; a plain BYE has none. */
  | { readonly kind: 'hangupRequested'; readonly channel: string; readonly cause: number | undefined }
  | { readonly kind: 'digit'; readonly channel: string; readonly digit: string; readonly heldMs: number }
  | { readonly kind: 'held'; readonly channel: string }
  | { readonly kind: 'unheld'; readonly channel: string }

export type AriEvent =
  | ChannelEvent
  /** Another client has taken our application: no event will come on this connection any more. */
  | { readonly kind: 'replaced' }
