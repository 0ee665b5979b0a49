import { factsAfterwards, type KeptFact } from './kept-events.ts'

/**
 * What the carrier tells of a call beside the call's own channel, and what is asked of it. A call that the carrier has
 * announced is known by the carrier's own id, and so are these; once it has a channel here, that is a part of it.
 */
export type CarrierFact =
  /** The carrier asks what is to become of a call. */
  | {
      readonly name: 'announced'
      readonly verdict: Verdict
      /** The longest that the carrier lets it go on; left out: as long as any call may. */
      readonly mostSeconds?: number
      readonly private: {
        readonly callerNumber: string
        readonly calledNumber: string
        readonly parameters: Readonly<Record<string, string>>
      }
    }
  /** Its own account of the call, as far as it goes: in any order, and repeated. */
  | {
      readonly name: 'carrierTold'
      readonly status: CarrierStatus
      /** Its own id, of a call that has another here. */
      readonly carrier?: string
      /** Of these accounts of one call; later ones are greater. */
      readonly sequence?: number
      readonly direction: 'inbound' | 'outbound'
      readonly seconds?: number
      /** As it was written, such as -0.0085: no number of ours holds it exactly. */
      readonly price?: string
      readonly priceUnit?: string
      readonly errorCode?: number
      readonly answeredBy?: AnsweredBy
      readonly private: { readonly callerNumber: string; readonly calledNumber: string }
    }
  /** Its time is over, and the carrier has not told its end. */
  | { readonly name: 'carrierLost' }
  /** The way to the agent, or to whoever had them instead, is over. */
  | {
      readonly name: 'wayEnded'
      readonly status: CarrierStatus
      readonly sipStatus?: number
      readonly seconds?: number
      readonly next: Verdict
    }
  /** The caller's words are with the carrier, and not here yet: fetched until they are, and then a voicemail. */
  | {
      readonly name: 'recordingAwaited'
      readonly recording: string
      readonly seconds: number
      readonly private: { readonly url: string; readonly callerNumber: string | undefined }
    }
  | { readonly name: 'recordingGivenUp'; readonly recording: string; readonly why: string }
  /** A call that is asked of the carrier, and that it makes under its own id from then on. */
  | { readonly name: 'callAsked'; readonly attempt: number; readonly private: { readonly calledNumber: string } }
  | { readonly name: 'callMade'; readonly attempt: number; readonly carrier: string }
  | { readonly name: 'callNotMade'; readonly attempt: number; readonly why: NotMade }
  /** Told while the call goes on. */
  | { readonly name: 'answererTold'; readonly answeredBy: AnsweredBy }
  /** Somebody of the business is told something, or could not be. */
  | {
      readonly name: 'noticeSent'
      readonly kind: NoticeKind
      /** Which of several of its kind in one call. */
      readonly about?: string
      readonly by: 'text' | 'mail' | 'webhook'
      readonly ok: boolean
      readonly why?: string
    }

/** What is to become of a call: the agent, or one of what comes instead. */
type Verdict = 'agent' | 'record' | 'forward' | 'voicemail' | 'excuse' | 'reject' | 'end'

export type CarrierStatus =
  | 'queued'
  | 'initiated'
  | 'ringing'
  | 'inProgress'
  | 'completed'
  | 'busy'
  | 'noAnswer'
  | 'failed'
  | 'canceled'

/** Nothing follows. */
export const finalStatuses = ['completed', 'busy', 'noAnswer', 'failed', 'canceled'] as const

export type AnsweredBy = 'human' | 'machine' | 'machineEnded' | 'fax' | 'unknown'

export type NotMade = 'doNotCall' | 'hours' | 'attempts' | 'refused' | 'unreachable' | 'full' | 'stopped'

export type NoticeKind = 'missedCall' | 'voicemail' | 'voicemailWords' | 'urgent'

/** Why a recording is given up that never held a word. */
export const NOTHING_SAID = 'nothing was said'

/** A text message: known by an id of its own in the place of a call's. */
export type TextFact =
  | {
      readonly name: 'textReceived'
      readonly channel: TextChannel
      readonly media: number
      readonly private: { readonly customer: string; readonly ours: string; readonly text: string }
    }
  /** It is to be sent; `sent` and `told` are what came of it. */
  | {
      readonly name: 'textWanted'
      readonly channel: TextChannel
      readonly template?: string
      readonly private: { readonly customer: string; readonly ours: string; readonly text: string }
    }
  | { readonly name: 'textSent'; readonly carrier: string }
  | { readonly name: 'textTold'; readonly status: TextStatus; readonly errorCode?: number }
  /** A customer has asked for no more of them, or for them again. */
  | {
      readonly name: 'consentTold'
      readonly channel: TextChannel
      readonly stopped: boolean
      readonly private: { readonly customer: string }
    }

export type TextChannel = 'sms' | 'whatsapp'

/** In the order in which they come; a later one stays. `unknown`: whether it was sent could not be found out, so far. */
export type TextStatus = 'wanted' | 'unknown' | 'queued' | 'sent' | 'delivered' | 'read' | 'undelivered' | 'failed'

const textFacts = [
  'textReceived',
  'textWanted',
  'textSent',
  'textTold',
  'consentTold',
] as const satisfies readonly TextFact['name'][]

/** Told of something else than a call. */
export const factsOfNoCall: readonly string[] = [...textFacts, 'callerForgotten' satisfies KeptFact['name']]

/** That are told without a channel here: a gateway that dies leaves nothing of them open. */
const names: readonly (CarrierFact | TextFact | KeptFact)['name'][] = [
  'announced',
  'carrierTold',
  'carrierLost',
  'wayEnded',
  'recordingAwaited',
  'recordingGivenUp',
  'callAsked',
  'callMade',
  'callNotMade',
  'answererTold',
  'noticeSent',
  ...textFacts,
  ...factsAfterwards,
]
const factsWithoutChannel: readonly string[] = names

/** Whoever has a call that goes on asks for it: what happens to a channel, and why nothing more of it is recorded. */
export function isForNextLife(name: string): boolean {
  return name === 'recordingEnded' || !factsWithoutChannel.includes(name)
}
