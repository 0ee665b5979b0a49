import type { Businesses } from '../call/addressee.ts'
import type { CallEvent } from '../call/events.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { TwilioPath } from './paths.ts'

/** What Twilio asks at one of the paths that it knows of Parley; everything behind it may rely on who has asked. */
export interface Webhook {
  readonly path: TwilioPath
  readonly methods: readonly ('GET' | 'POST')[]
  /** In a line, for the description of the API. */
  readonly summary: string
  /** With `twiml` somebody is on the telephone: whatever fails is answered with an excuse, and never with an error. */
  readonly wants: 'twiml' | 'receipt'
  /** What tells a request from all others of its address: one that comes again gets the same answer, and tells nothing new. */
  readonly repeats?: (request: WebhookRequest) => string | undefined
  answer(request: WebhookRequest): Promise<WebhookAnswer>
}

export interface WebhookRequest {
  /** Of the address, as Parley wrote it for Twilio, or as a user did in Twilio's console. */
  readonly query: Values
  /** Of the body, and where there is none of the address. The first of several values. */
  readonly fields: Values
}

/** Without a prototype: a name that was never sent has no value. */
export type Values = Readonly<Record<string, string | undefined>>

export type WebhookAnswer =
  | { readonly kind: 'twiml'; readonly xml: string }
  /** What was told is on the disk. */
  | { readonly kind: 'taken' }
  /** What Twilio cannot have sent, or not to here. */
  | { readonly kind: 'refused'; readonly status: 400 | 404; readonly why: string }

/** What the webhooks need of the house. */
export interface House {
  readonly businesses: () => Pick<Businesses, 'standard' | 'find' | 'withNumber'>
  /** Every fact goes to the journal first, as those of calls do. */
  readonly tell: (event: CallEvent) => void
  /** Everything told so far is on the disk: only then is it acknowledged. */
  readonly kept: () => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export const taken: WebhookAnswer = { kind: 'taken' }
