const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** Of recordings of calls, of voicemails, and of debug captures. */
export const recordingLimits = {
  /** Beyond it no more of a call is kept: its longest duration, and what take-overs add. */
  seconds: 5 * 3_600,
  /** From the media thread to the disk, of all calls: at it frames are left out, and the time stays. */
  pendingBytes: 8 * 1024 * 1024,
  /** What is handed over at once, a call. */
  batchMs: 200,
  /** Between two times that a file is brought to the disk itself: what a power cut may cost. */
  syncMs: 5_000,
  /** A packet that comes later than this is not placed any more: how far recording is behind the call. */
  alignMs: 240,
  /** Of silence for a gateway that was away: a clock that was set must not fill a disk. */
  bridgedMs: 10 * minuteMs,
  /** Free where recordings are: below the first nothing is recorded, below the second an operator is told. */
  diskBytes: { least: 200e6, low: 1e9 },
  /** Between two looks at that while something is recorded, and while nothing is. */
  diskLookMs: 10_000,
  diskIdleMs: minuteMs,
  /** Between two times that what is too old is asked to go. */
  cleanMs: 60 * minuteMs,
  /** Of a deletion that is under way: by then it is done, or was cut off and is done by its job. */
  deletingMs: minuteMs,
  announcementChars: 500,
  retentionDays: 3_650,
  voicemail: {
    seconds: 600,
    /** So little of a voice is no message. */
    leastMs: 700,
    toneMs: 400,
    /** For a greeting, or thanks, to be heard to its end; for the first sound of them to be there. */
    wordsMs: 90_000,
    speakerMs: 4_000,
    /** For a message to be on the disk, before its caller hears that it may not be. */
    keepMs: 5_000,
  },
  /** A minute of a call is 2 MB; more than `bytes` is a flood. */
  capture: { seconds: 600, bytes: 40e6, atOnce: 4, keptMs: dayMs },
  /** One at a time, in a thread of the lowest priority; whether somebody still may come back to it is looked at again. */
  convert: { bitRate: 24_000, frameMs: 20, heapMb: 128, backMs: minuteMs },
  /** Of one answer with sound. */
  rangeBytes: 8 * 1024 * 1024,
} as const

/** Of work that outlives the program. */
export const jobLimits = {
  /** Half a day in all, with twice as long between two of them each time. */
  attempts: 12,
  retryMs: { first: 15_000, most: 2 * 60 * minuteMs },
  /** An attempt that takes longer is taken for dead, and another begins. */
  aliveMs: {
    convert: 30 * minuteMs,
    // By what is built in, with what calls leave of the processor: ten minutes of sound want three and a half of it.
    transcribe: 30 * minuteMs,
    summarize: 5 * minuteMs,
    answer: 5 * minuteMs,
    notify: 2 * minuteMs,
    deliver: 2 * minuteMs,
    clean: 30 * minuteMs,
    forget: 30 * minuteMs,
  },
  /** How long a job that is over can be looked up; one that waits so long is gone. */
  keptMs: 30 * dayMs,
  /** Between two looks for what others have left, and for what has come due here. */
  lookMs: 30_000,
  tendMs: 5 * minuteMs,
  atOnce: { convert: 1, transcribe: 2, summarize: 2, answer: 2, notify: 4, deliver: 32, clean: 1, forget: 1 },
  /** Of one group, such as a hook: one that is dead holds no more of the places, and it takes sixteen to hold all of them. */
  ofGroup: { deliver: 2 },
  closeMs: 5_000,
  whyChars: 500,
} as const

/** Of what is written down of sound, and told of a call in short. */
export const digestLimits = {
  /** https://platform.openai.com/docs/guides/speech-to-text has 25 MB. */
  soundBytes: 25 * 1024 * 1024,
  soundSeconds: 600,
  transcriptChars: 100_000,
  /** Of a call, as a model is given it. */
  storyChars: 60_000,
  /** Of the answer to a caller who was only recorded. */
  replyChars: 300,
  fieldChars: 1_000,
  /** As it was heard, after it was left: for as long as it is tried to write it down, and a while for a person. */
  soundKeptMs: dayMs,
  /** That callers who need what is built in are waited for, and then left alone; between two looks at them. */
  busyMs: 60_000,
  busyLookMs: 1_000,
  answerBytes: 1024 * 1024,
  answerMs: 120_000,
  outputTokens: 2_000,
} as const

/** Of what integrators are told. */
export const hookLimits = {
  perBusiness: 10,
  secretChars: { least: 24, most: 200 },
  answerMs: 10_000,
  bodyBytes: 64 * 1024,
  /** After so many in a row that came to nothing an operator is told. */
  failingInARow: 20,
} as const
