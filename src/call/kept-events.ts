/**
 * What is kept of a call beside its facts, and what is made of that afterwards. Files are named by ids that tell nothing of
 * the caller; what was said stands under `private`.
 */
export type KeptFact =
  /** Both sides from here on; `again`: in the file that an earlier life, or an earlier part of the call, had begun. */
  | { readonly name: 'recordingBegan'; readonly recording: string; readonly again?: true }
  /** The caller has been told. */
  | { readonly name: 'recordingAnnounced'; readonly recording: string }
  /** Somebody does not want it: in this call it does not begin any more, whoever has it next. */
  | { readonly name: 'recordingStopped'; readonly recording: string }
  | {
      readonly name: 'recordingEnded'
      readonly recording: string
      readonly seconds: number
      readonly why: RecordingEnd
      /** Left out for want of time or room: silence stands in their place. */
      readonly shedFrames: number
    }
  /** It stands in another form, and the one before is gone. */
  | { readonly name: 'recordingConverted'; readonly recording: string; readonly bytes: number }
  /** The file is gone from the disk: the first of these counts. */
  | { readonly name: 'recordingDeleted'; readonly recording: string; readonly by: DeletedBy }
  | { readonly name: 'voicemailDeleted'; readonly recording: string; readonly by: DeletedBy }
  /** Of a voicemail, or of what a caller said into a recording. */
  | {
      readonly name: 'transcribed'
      readonly recording: string
      readonly by: DigestSource
      readonly private: { readonly text: string }
    }
  | ({ readonly name: 'summarized' } & Summarized)
  /** What a caller who was only recorded wants, and the id of the text message that has answered them, or why none has. */
  | {
      readonly name: 'callerAnswered'
      readonly recording: string
      readonly by: DigestSource
      readonly text?: string
      readonly why?: string
      readonly private: { readonly intent: string; readonly data: Readonly<Record<string, string>> }
    }
  /** Each stage of the call's sound, for as long, for whoever looks for a fault. */
  | { readonly name: 'captureBegan'; readonly capture: string; readonly seconds: number }
  | { readonly name: 'captureEnded'; readonly capture: string; readonly seconds: number; readonly why: RecordingEnd }
  /** All that this house has kept of somebody is gone; who it was is not told. */
  | { readonly name: 'callerForgotten'; readonly calls: number; readonly files: number }

/** `tooLong`: as long, or as much, as it was to be. */
export type RecordingEnd = 'callEnded' | 'transferred' | 'diskFull' | 'tooLong' | 'mediaLost' | 'cut' | 'stopped'

/** `business`: by a token of its own; `request`: of the caller, who is forgotten. */
export type DeletedBy = 'age' | 'operator' | 'business' | 'request'

/** Which of them made it: people trust them differently. */
export type DigestSource = 'provider' | 'builtIn'

interface Summarized {
  readonly by: DigestSource
  readonly urgency: Urgency
  readonly private: {
    readonly who: string
    readonly why: string
    readonly outcome: string
    readonly followUp: string
  }
}

export type Urgency = 'none' | 'soon' | 'now'

/** That are told when the call is over, or of no call at all: a gateway that dies leaves nothing of them open. */
export const factsAfterwards = [
  'recordingEnded',
  'recordingConverted',
  'recordingDeleted',
  'voicemailDeleted',
  'transcribed',
  'summarized',
  'callerAnswered',
  'captureEnded',
  'callerForgotten',
] as const satisfies readonly KeptFact['name'][]
