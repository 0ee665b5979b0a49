import { GatewayError } from '../errors.ts'
import type { AudioFormat } from '../media/audio.ts'
import type { Conversant, Speaker } from './ports.ts'

/** How such a voice is to sound. */
interface SpeakerOptions {
  readonly voice: string
  readonly language: string
}

const format: AudioFormat = { encoding: 'ulaw', rate: 8_000 }

/** A conversant as a speaker, each text in a session of its own: what is kept as sound has the voice that callers know. */
export function conversantSpeaker(conversant: Conversant, { voice, language }: SpeakerOptions): Speaker {
  return {
    format,
    async *speak(text, signal) {
      const over = new AbortController()
      const session = { format, instructions: '', voice, language, tools: [], history: [] }
      try {
        const speaking = await conversant.open(session, AbortSignal.any([signal, over.signal]))
        speaking.say(text)
        let sounded = false
        for await (const event of speaking.events) {
          if (event.kind === 'failed') throw event.error
          if (event.kind === 'audio') {
            sounded ||= event.audio.length > 0
            yield event.audio
          }
          if (event.kind !== 'turnEnded') continue
          if (event.broken || !sounded) throw new GatewayError('ENGINE_FAILED', 'It did not say all of it.')
          return
        }
        signal.throwIfAborted()
      } finally {
        over.abort(new Error('All of it has been said.'))
      }
    },
  }
}
