import type { Mark } from './marks.ts'

/** One utterance and the reply to it, as the provider meets them; NaN for what has not happened. */
export interface ProviderTurn {
  readonly mark: Mark
  /** When the last of its sound had arrived. */
  arrivedMs: number
  /** When each of these was sent: that a voice has begun, that it is committed, that a reply is being made, its first sound. */
  startedMs: number
  committedMs: number
  createdMs: number
  soundMs: number
}

type Stamp = Exclude<keyof ProviderTurn, 'mark' | 'arrivedMs'>

const stamps: Readonly<Record<string, Stamp>> = {
  'input_audio_buffer.speech_started': 'startedMs',
  'input_audio_buffer.committed': 'committedMs',
  'response.created': 'createdMs',
  'response.output_audio.delta': 'soundMs',
}

/** Each frame tells its type at its beginning. */
const TYPE_WITHIN = 100

/** Notes when what a session hears arrives, and when what it tells leaves. */
export class TurnStamps {
  readonly #nowMs: () => number
  #turns: ProviderTurn[] = []

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  heard(mark: Mark): void {
    const last = this.#turns.at(-1)
    if (last?.mark === mark) last.arrivedMs = this.#nowMs()
    else {
      const none = { startedMs: Number.NaN, committedMs: Number.NaN, createdMs: Number.NaN, soundMs: Number.NaN }
      this.#turns.push({ mark, arrivedMs: this.#nowMs(), ...none })
    }
  }

  /** To be called right before the frame is sent. */
  tells(frame: string): void {
    const turn = this.#turns.at(-1)
    const stamp = stamps[/"type":"([\w.]+)"/.exec(frame.slice(0, TYPE_WITHIN))?.[1] ?? '']
    if (!turn || !stamp || !Number.isNaN(turn[stamp])) return
    // What is still told of the reply before is no part of this turn.
    if ((stamp === 'createdMs' || stamp === 'soundMs') && Number.isNaN(turn.committedMs)) return
    turn[stamp] = this.#nowMs()
  }

  /** All turns since the last time. */
  take(): ProviderTurn[] {
    const taken = this.#turns
    this.#turns = []
    return taken
  }
}
