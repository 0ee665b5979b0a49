import type { RecordingEnd } from '../../src/call/kept-events.ts'
import type { EndedRecording, KeptRecording, Line, Recorder, WantedRecording } from '../../src/call/ports.ts'
import { FRAME_MS, type FrameKind } from '../../src/media/audio.ts'

/** Keeps in memory what the caller says; ends when it is told to, when there is enough, or when a test says so. */
export class FakeRecorder implements Recorder {
  readonly kept: FakeRecording[] = []
  /** There is no room from the start. */
  full = false

  capture(): undefined {}

  begin(line: Line, wanted: WantedRecording): KeptRecording {
    const recording = new FakeRecording(line, wanted)
    this.kept.push(recording)
    if (this.full) void recording.end('diskFull')
    return recording
  }
}

export class FakeRecording implements KeptRecording {
  readonly wanted: WantedRecording
  readonly again = false
  readonly #ended = Promise.withResolvers<EndedRecording>()
  readonly #frames: Int16Array[] = []
  readonly #stop: () => void
  why: RecordingEnd | undefined

  constructor(line: Line, wanted: WantedRecording) {
    this.wanted = wanted
    this.#stop = line.hear({
      format: { encoding: 'pcm16', rate: 8_000 },
      write: (frame: Uint8Array | Int16Array, _atMs: number, _kind: FrameKind) => {
        this.#frames.push((frame as Int16Array).slice())
        if (this.ms >= wanted.mostMs) void this.end('tooLong')
      },
    })
  }

  get ms(): number {
    return this.#frames.length * FRAME_MS
  }

  /** What was said. */
  get samples(): Int16Array {
    return Int16Array.from(this.#frames.flatMap(frame => [...frame]))
  }

  get ended(): Promise<EndedRecording> {
    return this.#ended.promise
  }

  end(why: RecordingEnd): Promise<EndedRecording> {
    if (this.why === undefined) {
      this.why = why
      this.#stop()
      this.#ended.resolve({ why, seconds: this.ms / 1_000, shedFrames: 0 })
    }
    return this.ended
  }
}
