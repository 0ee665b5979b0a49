import type { Law } from '../media/audio.ts'
import type { Address } from '../plane/line.ts'

/** A class of musiconhold.conf: what waiting callers hear, and whoever is put on hold. */
export const MUSIC = 'waiting'

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
  /** In our application at once, and not dialled yet; tells the name that Asterisk has given it. */
  createChannel(channel: OutgoingChannel): Promise<string>
  /** Begins to dial, and gives up after so long; what comes of it is told by events. */
  dial(channel: string, timeoutSeconds: number): Promise<void>
  startMusic(channel: string): Promise<void>
  stopMusic(channel: string): Promise<void>
  /** What happens to these channels is told also once they have left our application. */
  subscribe(channels: readonly string[]): Promise<void>
  createBridge(bridge: string): Promise<void>
  /** Out of whatever bridge each is in: never in both, and never twice in one. */
  addToBridge(bridge: string, channels: readonly string[]): Promise<void>
  destroyBridge(bridge: string): Promise<void>
  channels(): Promise<AriChannel[]>
  bridges(): Promise<AriBridge[]>
  /** The channels that our application is told of: those that are in it, and those it has subscribed to. */
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

export interface OutgoingChannel {
  readonly channel: string
  /** As the dialplan would dial it. */
  readonly endpoint: string
  /** The channel it is made for, whose codec it is to speak. */
  readonly originator: string
  readonly variables: Readonly<Record<string, string>>
}

export interface AriChannel {
  readonly id: string
  readonly name: string
  readonly state: string
  /** Of the dialplan. */
  readonly context: string
  /** In whatever application, not in the dialplan's hands. */
  readonly inStasis: boolean
}

export interface AriBridge {
  readonly id: string
  readonly technology: string
  readonly channels: readonly string[]
}

export type ChannelEvent =
  | { readonly kind: 'entered'; readonly channel: string; readonly args: readonly string[] }
  /** The application; it ends soon after, or goes on elsewhere. */
  | { readonly kind: 'left'; readonly channel: string }
  | { readonly kind: 'ended'; readonly channel: string; readonly cause: number | undefined }
  /** Of a channel that is being dialled. */
  | { readonly kind: 'dialled'; readonly channel: string; readonly status: string }
  /** The channel leaves soon after. The cause is of Q.850; a plain BYE has none. */
  | { readonly kind: 'hangupRequested'; readonly channel: string; readonly cause: number | undefined }
  | { readonly kind: 'digit'; readonly channel: string; readonly digit: string; readonly heldMs: number }
  | { readonly kind: 'held'; readonly channel: string }
  | { readonly kind: 'unheld'; readonly channel: string }

export type AriEvent =
  | ChannelEvent
  /** Another client has taken our application: no event will come on this connection any more. */
  | { readonly kind: 'replaced' }
