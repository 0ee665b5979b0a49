import type { Business } from '../business.ts'
import type { TextChannel, TextStatus } from '../call/carrier-events.ts'

export interface TextWish {
  /** The same for the same wish, however often it comes: it is sent once. */
  readonly id: string
  readonly business: Business
  readonly channel: TextChannel
  /** In international form. */
  readonly to: string
  readonly text: string
}

export type TextTaken =
  | { readonly kind: 'taken'; readonly status: TextStatus }
  /** Another text was taken under this id. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'refused'; readonly why: TextRefusal; readonly words: string }

export type TextRefusal = 'stopped' | 'noNumber' | 'outsideSession' | 'full'

/** Sends text messages: what it has taken is on the disk, and goes out once or is told as failed or unknown. */
export interface TextSender {
  /** Fails with STORE_AWAY while it cannot be known what was sent, and who has asked for no more. */
  send(wish: TextWish): Promise<TextTaken>
}
