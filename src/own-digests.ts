import type { Digest, Summarizer, Transcriber } from './agent/ports.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import type { SpeechPrograms } from './providers/local/programs.ts'
import { extractiveSummarizer } from './providers/local/summarize.ts'
import { localTranscriber } from './providers/local/transcribe.ts'
import { NotServed } from './providers/openai/http.ts'
import { openaiSummarizer } from './providers/openai/summarize.ts'
import { openaiTranscriber } from './providers/openai/transcribe.ts'

/** Who makes something of words when a call is over; nothing where nobody is to. */
export interface Digesters {
  readonly transcriber: Transcriber | undefined
  readonly summarizer: Summarizer | undefined
}

interface Speech {
  readonly programs: () => Promise<SpeechPrograms>
  /** Callers are listened to by them at the moment. */
  readonly busy: () => boolean
}

/** As the settings want it. A server that has no such path leaves it to what is built in, which says so. */
export function digestersOf({ digests, openai }: Config, speech: Speech): Digesters {
  const parts = { baseUrl: openai.baseUrl, apiKey: openai.apiKey?.reveal() }
  const builtIn = {
    transcriber: localTranscriber({ ...speech, clock: systemClock }),
    summarizer: extractiveSummarizer(),
  }
  const vendor = {
    transcriber: openaiTranscriber({ ...parts, model: digests.transcriptionModel }),
    summarizer: openaiSummarizer({ ...parts, model: digests.summaryModel }),
  }
  const transcribers = {
    openai: orTranscribe(vendor.transcriber, builtIn.transcriber),
    'built-in': builtIn.transcriber,
  }
  const summarizers = { openai: orSummarize(vendor.summarizer, builtIn.summarizer), 'built-in': builtIn.summarizer }
  return {
    transcriber: digests.transcriber === 'none' ? undefined : transcribers[digests.transcriber],
    summarizer: digests.summarizer === 'none' ? undefined : summarizers[digests.summarizer],
  }
}

function orTranscribe(first: Transcriber, other: Transcriber): Transcriber {
  return {
    by: first.by,
    transcribe: (sound, signal) =>
      orElse(first.transcribe(sound, signal), other.by, () => other.transcribe(sound, signal)),
  }
}

function orSummarize(first: Summarizer, other: Summarizer): Summarizer {
  return {
    by: first.by,
    summarize: (story, signal) =>
      orElse(first.summarize(story, signal), other.by, () => other.summarize(story, signal)),
    answer: (message, signal) => orElse(first.answer(message, signal), other.by, () => other.answer(message, signal)),
  }
}

async function orElse<Made>(
  first: Promise<Digest<Made>>,
  by: Transcriber['by'],
  other: () => Promise<Digest<Made>>,
): Promise<Digest<Made>> {
  try {
    return await first
  } catch (error) {
    if (!(error instanceof NotServed)) throw error
    return { ...(await other()), by }
  }
}
