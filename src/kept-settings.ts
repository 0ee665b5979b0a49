import { defaultFileTranscriptionModel, defaultSummaryModel } from './providers/openai/models.ts'
import type { Reader } from './setting-reader.ts'

/** `auto`: OpenAI's where its key or a server is given, else what is built in. */
const makers = ['auto', 'openai', 'built-in', 'none'] as const

/** Who writes down and tells in short what callers have said, once they have gone. */
export function digestSettings(read: Reader, reachable: boolean) {
  return {
    transcriber: maker(read, 'TRANSCRIBER', reachable),
    summarizer: maker(read, 'SUMMARIZER', reachable),
    transcriptionModel: read.text('OPENAI_TRANSCRIPTION_MODEL', defaultFileTranscriptionModel),
    summaryModel: read.text('OPENAI_SUMMARY_MODEL', defaultSummaryModel),
  }
}

function maker(read: Reader, name: string, reachable: boolean): Exclude<(typeof makers)[number], 'auto'> {
  const chosen = read.choice(name, makers, 'auto')
  if (chosen === 'openai' && !reachable) {
    read.problem(`${name}=openai needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server that wants no key.`)
  }
  return chosen === 'auto' ? (reachable ? 'openai' : 'built-in') : chosen
}
