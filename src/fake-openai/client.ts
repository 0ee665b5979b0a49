import type { ServerEvent } from '../providers/openai/protocol.ts'

/** An event without what every event has. */
export type Unnumbered<E = ServerEvent> = E extends ServerEvent ? Omit<E, 'event_id'> : never
export type Tell = (event: Unnumbered) => void

/** The client's side of the connection. */
export interface Client {
  text(frame: string): void
  binary(frame: Uint8Array): void
  close(): void
}
