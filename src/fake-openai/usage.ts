import type { Message } from '../agent/ports.ts'
import type { Response, ServerEventOf } from '../providers/openai/protocol.ts'

type Usage = NonNullable<Response['usage']>
type Written = ServerEventOf<'conversation.item.input_audio_transcription.completed'>['usage']

/** As the vendor counts sound: what it hears a token in 100 ms, what it says one in 50. */
const HEARD_MS = 100
const SAID_MS = 50
const CHARS_A_TOKEN = 4
/** What was there before is cached in pieces of so many tokens. */
const CACHE_PIECE = 64

function textTokens(text: string): number {
  return Math.ceil(text.length / CHARS_A_TOKEN)
}

/** What one session's responses use: each reads the whole conversation again. */
export class Meter {
  #heardMs = 0
  #said = 0
  #before = { text: 0, audio: 0 }

  heard(ms: number): void {
    this.#heardMs += ms
  }

  response(
    instructions: string,
    messages: readonly Message[],
    made: { readonly ms: number; readonly text: string },
  ): Usage {
    const written = messages.filter(({ role }) => role !== 'caller' && role !== 'agent')
    const text = textTokens(instructions) + textTokens(written.map(each => JSON.stringify(each)).join(''))
    const audio = Math.ceil(this.#heardMs / HEARD_MS) + this.#said
    const cachedText = wholePieces(Math.min(text, this.#before.text))
    const cachedAudio = wholePieces(Math.min(audio, this.#before.audio))
    const saidText = textTokens(made.text)
    const saidAudio = Math.ceil(made.ms / SAID_MS)
    this.#before = { text, audio }
    this.#said += saidAudio
    return {
      total_tokens: text + audio + saidText + saidAudio,
      input_tokens: text + audio,
      output_tokens: saidText + saidAudio,
      input_token_details: {
        text_tokens: text,
        audio_tokens: audio,
        image_tokens: 0,
        cached_tokens: cachedText + cachedAudio,
        cached_tokens_details: { text_tokens: cachedText, audio_tokens: cachedAudio, image_tokens: 0 },
      },
      output_token_details: { text_tokens: saidText, audio_tokens: saidAudio },
    }
  }
}

/** Models that write down are paid by tokens, the oldest by time. */
export function usageOfWords(model: string, heardMs: number, text: string): Written {
  if (/^whisper/.test(model)) return { type: 'duration', seconds: Math.ceil(heardMs / 1_000) }
  const audio_tokens = Math.ceil(heardMs / HEARD_MS)
  const output_tokens = textTokens(text)
  return {
    type: 'tokens',
    total_tokens: audio_tokens + output_tokens,
    input_tokens: audio_tokens,
    input_token_details: { text_tokens: 0, audio_tokens },
    output_tokens,
  }
}

function wholePieces(tokens: number): number {
  return tokens - (tokens % CACHE_PIECE)
}
