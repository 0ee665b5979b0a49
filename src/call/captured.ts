import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { CallFact } from './events.ts'
import type { RecordingEnd } from './kept-events.ts'
import type { KeptCapture, Line, Recorder } from './ports.ts'

interface CallCaptureDependencies {
  readonly call: string
  readonly clock: Clock
  readonly recorder: Recorder | undefined
  readonly emit: (fact: CallFact) => void
  /** Also when the record is closed. */
  readonly emitAfterwards: (fact: CallFact) => void
}

/** What came of asking for one; without an id there is none. */
export type CaptureAnswer = { readonly id: string } | 'noLine' | 'goesOn' | 'tooMany'

/** What is captured of a call on demand, one at a time, for whoever looks for a fault. */
export class CallCapture {
  readonly #with: CallCaptureDependencies
  #kept: KeptCapture | undefined

  constructor(dependencies: CallCaptureDependencies) {
    this.#with = dependencies
  }

  begin(line: Line | undefined, seconds: number): CaptureAnswer {
    const { call, clock, recorder, emit, emitAfterwards } = this.#with
    if (!line || !recorder) return 'noLine'
    if (this.#kept) return 'goesOn'
    const beganAtMs = clock.wallMs()
    const id = createHash('sha256').update(`${call} ${beganAtMs}`).digest('base64url').slice(0, 22)
    const kept = recorder.capture(line, { id, beganAtMs, seconds })
    if (!kept) return 'tooMany'
    this.#kept = kept
    emit({ name: 'captureBegan', capture: id, seconds })
    void kept.ended.then(ended => {
      if (this.#kept === kept) this.#kept = undefined
      emitAfterwards({ name: 'captureEnded', capture: id, seconds: Math.ceil(ended.seconds), why: ended.why })
    })
    return { id }
  }

  /** Its line is over. */
  end(why: RecordingEnd): void {
    void this.#kept?.end(why)
    this.#kept = undefined
  }
}
