import type { Speaker } from '../../agent/ports.ts'
import { type Clock, pause } from '../../clock.ts'
import type { AudioFormat } from '../../media/audio.ts'
import { Sounds } from './sounds.ts'

export interface SpeakerOptions {
  readonly clock: Clock
  readonly format: AudioFormat
  /** To the first audio of a text; the rest follows at once. */
  readonly latencyMs: number
}

const PIECE_MS = 200

/** Gives the sound of a text in pieces, as a streaming synthesizer does. */
export function scriptedSpeaker({ clock, format, latencyMs }: SpeakerOptions): Speaker {
  const sounds = new Sounds(format)
  const pieceBytes = (PIECE_MS / 1_000) * format.rate * (format.encoding === 'pcm16' ? 2 : 1)
  return {
    format,
    async *speak(text, signal) {
      if (latencyMs > 0) await pause(clock, latencyMs, signal)
      const audio = sounds.render(text)
      for (let at = 0; at < audio.length; at += pieceBytes) yield audio.subarray(at, at + pieceBytes)
    },
  }
}
