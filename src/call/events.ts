import { limits } from '../limits.ts'
import type { LineFigures } from '../plane/line.ts'
import type { CarrierFact, TextFact } from './carrier-events.ts'
import type { KeptFact } from './kept-events.ts'

/**
 * Everything that happens to a call, told once. The journal, the API, metrics and logs are projections of this.
 * What a caller said, and who the caller is, stands only under `private`.
 */
export interface CallEvent {
  /** Its channel here; the carrier's id of it, or of a message, where there is none. */
  readonly call: string
  /** To whom it happened. */
  readonly business: string
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly fact: CallFact
}

export type CallFact =
  | CarrierFact
  | TextFact
  | KeptFact
  | {
      readonly name: 'offered'
      readonly engine: string
      readonly codec: string
      /** The call that this channel is a part of, by the id that it has with the carrier. */
      readonly partOf?: string
      /** Not the first channel of that call: the caller was with somebody else meanwhile. */
      readonly again?: true
      /** We have called them. */
      readonly outbound?: true
      readonly private: OfferedPrivately
    }
  | {
      readonly name: 'refused'
      readonly reason: 'capacity' | 'draining' | 'unready' | 'inactive' | 'forged'
      /** As of one that is offered. */
      readonly partOf?: string
      readonly private?: { readonly callerNumber: string }
    }
  | { readonly name: 'mediaOpened'; readonly channel: string; readonly bridge: string; readonly ports: MediaPorts }
  | { readonly name: 'mediaClosed'; readonly figures: LineFigures }
  /** `again`: by a channel of its that is not the first. */
  | { readonly name: 'answered'; readonly setUpMs: number; readonly again?: true }
  | { readonly name: 'takenOver' }
  | { readonly name: 'callerSpoke'; readonly private: { readonly text: string } }
  | {
      readonly name: 'agentSpoke'
      readonly ms: number
      readonly complete: boolean
      readonly private: { readonly text: string }
    }
  | { readonly name: 'turnAnswered'; readonly thinkMs: number; readonly pauseMs: number }
  /** Of a reply by one who hears, thinks and speaks: `askMs` and `playMs` are the gateway's own. */
  | {
      readonly name: 'replyTimed'
      readonly askMs: number
      readonly beginMs: number
      readonly makeMs: number
      readonly playMs: number
    }
  | { readonly name: 'agentPaused' }
  | { readonly name: 'agentResumed' }
  | { readonly name: 'agentInterrupted'; readonly ms: number }
  | { readonly name: 'digitPressed'; readonly private: { readonly digit: string } }
  | { readonly name: 'digitsSent'; readonly private: { readonly digits: string } }
  | { readonly name: 'held' }
  | { readonly name: 'unheld' }
  | { readonly name: 'toolRan'; readonly tool: string; readonly ok: boolean; readonly tookMs: number }
  | {
      readonly name: 'messageTaken'
      /** It cannot wait until somebody looks. */
      readonly urgent?: true
      readonly private: { readonly text: string; readonly callback: string; readonly person?: string }
    }
  /** The business must not call them any more: they have said so. */
  | { readonly name: 'callsForbidden'; readonly private: { readonly number: string } }
  | {
      readonly name: 'appointmentRequested'
      readonly private: {
        /** 2026-01-05 */
        readonly date: string
        /** 15:00, or a part of the day */
        readonly time: string
        readonly service?: string
        readonly callback: string
      }
    }
  /** What is known of the caller was asked: of the earlier calls, or of the business's own records. */
  | { readonly name: 'callerLookedUp'; readonly of: 'store' | 'records'; readonly ok: boolean; readonly tookMs: number }
  | { readonly name: 'callerNamed'; readonly by: 'records' | 'caller'; readonly private: { readonly name: string } }
  | UsageCounted
  /** Somebody else is to take the caller over; `attempt` counts from 1 in each call, and tells these facts' own apart. */
  | {
      readonly name: 'transferBegan'
      readonly attempt: number
      readonly destination: string
      readonly mode: TransferMode
      readonly by: TransferTrigger
      readonly private: { readonly reason?: string }
    }
  /** Heard at the destination for the first time, so long after it was decided and the last word before it was heard. */
  | { readonly name: 'transferRang'; readonly attempt: number; readonly afterMs: number }
  | { readonly name: 'transferAnswered'; readonly attempt: number; readonly afterMs: number }
  /** With `connected` the caller is with the destination, and otherwise with us. */
  | {
      readonly name: 'transferEnded'
      readonly attempt: number
      readonly outcome: TransferOutcome
      readonly tookMs: number
    }
  /** The destination vanished from a call that had been connected with it: the agent has the caller back. */
  | { readonly name: 'returned' }
  | { readonly name: 'degraded'; readonly code: string; readonly detail: string }
  | { readonly name: 'handedBack'; readonly reason: string }
  /** The agent's part is over: they are asked to say something after a tone. */
  | { readonly name: 'messageAsked'; readonly by: VoicemailWay }
  | {
      readonly name: 'voicemailLeft'
      readonly seconds: number
      /** Left out: by the carrier or the dialplan, while no gateway had the caller. */
      readonly by?: VoicemailWay
      /** Left out: when it was over. */
      readonly ended?: VoicemailEnd
      /** The file's name holds the caller's number. */
      readonly private: { readonly recording: string; readonly callerNumber: string | undefined }
    }
  | {
      readonly name: 'ended'
      readonly reason: EndReason
      readonly durationMs: number
      /** Since it was answered, if it was: of a call that was taken over, since then. */
      readonly answeredMs?: number
    }

/** What led a caller there: the agent, the hour, an engine or a way to the agent that failed, a reception that only records. */
export type VoicemailWay = 'agent' | 'closed' | 'failure' | 'reception'

/** `cut`: by a gateway that died, or a disk that was full. */
export type VoicemailEnd = 'silence' | 'key' | 'limit' | 'hungUp' | 'cut'

/** What a provider counts of its work for a call, in the order in which it is told everywhere. */
export const usageCounters = [
  'inputTokens',
  'inputTextTokens',
  'inputAudioTokens',
  'cachedTokens',
  'cachedAudioTokens',
  'outputTokens',
  'outputTextTokens',
  'outputAudioTokens',
  'transcriptionInputTokens',
  'transcriptionOutputTokens',
  'transcriptionMs',
] as const

export type UsageCounter = (typeof usageCounters)[number]
/** Nothing of what it does not tell. Cached tokens are among those of the input, text and audio among all. */
export type Usage = Readonly<Partial<Record<UsageCounter, number>>>

/** Of one response, or of words that were written down. */
type UsageCounted = Usage & { readonly name: 'usageCounted'; readonly model: string }

interface OfferedPrivately {
  readonly callerNumber: string
  readonly calledUser: string
  readonly requestUri: string
  readonly parameters: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

export interface MediaPorts {
  readonly gateway: number
  readonly asterisk: number
}

/** `attended`: whoever answers hears first who calls and why, and may decline. */
export type TransferMode = 'blind' | 'attended'

/** Who wants it: the model, the caller's own words or key, an operator, or the gateway because its engine has failed. */
export type TransferTrigger = 'agent' | 'caller' | 'key' | 'operator' | 'failure'

export const transferOutcomes = [
  'connected',
  'busy',
  'noAnswer',
  'rejected',
  /** By whoever had answered. */
  'declined',
  'unreachable',
  /** All port pairs are in use: nothing was dialled. */
  'noPort',
  'callerGone',
  /** By the caller, or by an operator. */
  'cancelled',
  'failed',
] as const

export type TransferOutcome = (typeof transferOutcomes)[number]

export type EndReason =
  | 'callerHungUp'
  /** Without a word: no sound came any more. */
  | 'callerVanished'
  | 'agentHungUp'
  | 'operatorHungUp'
  | 'handedBack'
  | 'transferred'
  /** The carrier has the caller, to connect them with somebody else. */
  | 'redirected'
  /** Another gateway serves the caller now. */
  | 'takenOver'
  /** The PBX died, or led the caller to its fallback by itself. */
  | 'lost'
  | 'refused'
  | 'failed'
  | 'timedOut'
  | 'drained'
  | 'tooLong'

/** Of a long call the beginning, and what nobody may be without who has the call next. */
export function keepEvent(kept: CallEvent[], event: CallEvent): void {
  if (kept.length < limits.call.eventsKept || event.fact.name === 'recordingStopped') kept.push(event)
}
