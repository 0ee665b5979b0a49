/** Models retire quickly: a name is a setting with a default, and the dates stand in this one file. Of this one no end is announced. */
export const defaultRealtimeModel = 'gpt-realtime-2.1'
/** Writes down what callers say. */
export const defaultTranscriptionModel = 'gpt-transcribe'
/** The same of a file, by HTTP. */
export const defaultFileTranscriptionModel = 'gpt-transcribe'
/** Tells a call in short. */
export const defaultSummaryModel = 'gpt-5.4-mini'

interface Retirement {
  readonly model: string
  /** The first day without it. */
  readonly date: string
  readonly successor: string
}

/** As announced in autumn 2026; `shutdown_date` of GET /v1/models is newer where it is told. */
export const retirements: readonly Retirement[] = [
  { model: 'gpt-realtime', date: '2027-01-20', successor: 'gpt-realtime-2.1' },
  { model: 'gpt-realtime-mini', date: '2027-01-20', successor: 'gpt-realtime-2.1-mini' },
  { model: 'tts-1', date: '2027-01-06', successor: 'gpt-realtime-2.1-mini' },
  { model: 'tts-1-hd', date: '2027-01-06', successor: 'gpt-realtime-2.1-mini' },
  { model: 'gpt-4o-mini-tts', date: '2027-01-06', successor: 'gpt-realtime-2.1-mini' },
  { model: 'whisper-1', date: '2027-02-26', successor: 'gpt-transcribe' },
  { model: 'gpt-4o-transcribe', date: '2027-02-26', successor: 'gpt-transcribe' },
  { model: 'gpt-4o-mini', date: '2027-01-14', successor: defaultSummaryModel },
  { model: 'gpt-4.1-mini', date: '2027-01-14', successor: defaultSummaryModel },
  { model: 'gpt-4o-mini-transcribe', date: '2027-02-26', successor: 'gpt-live-transcribe' },
]
