import type { AudioFormat, AudioSink } from './audio.ts'

export interface VoiceEvent {
  readonly kind: 'voiceStarted' | 'voiceStopped'
  readonly atMs: number
}

/** By level alone, until the true one stands. */
export class VoiceActivity implements AudioSink {
  readonly format: AudioFormat = { encoding: 'pcm16', rate: 8_000 }
  readonly #onEvent: (event: VoiceEvent) => void
  #loud = 0
  #quiet = 0
  #voice = false

  constructor(onEvent: (event: VoiceEvent) => void) {
    this.#onEvent = onEvent
  }

  write(frame: Uint8Array | Int16Array, mediaTimeMs: number): void {
    let energy = 0
    for (const sample of frame) energy += sample * sample
    const loud = energy / frame.length > 300 ** 2
    this.#loud = loud ? this.#loud + 1 : 0
    this.#quiet = loud ? 0 : this.#quiet + 1
    if (!this.#voice && this.#loud === 5) {
      this.#voice = true
      this.#onEvent({ kind: 'voiceStarted', atMs: mediaTimeMs - 80 })
    } else if (this.#voice && this.#quiet === 10) {
      this.#voice = false
      this.#onEvent({ kind: 'voiceStopped', atMs: mediaTimeMs - 180 })
    }
  }
}
