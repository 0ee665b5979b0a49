import { createHash } from 'node:crypto'
import type { Business } from '../business.ts'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import type { CallEvent, CallFact } from './events.ts'
import type { RecordingEnd } from './kept-events.ts'
import type { CallRecorded, EndedRecording, KeptRecording, Line, Recorder } from './ports.ts'

interface CallRecordingDependencies {
  readonly call: string
  readonly business: Business
  readonly clock: Clock
  /** Left out: nothing can be kept here. */
  readonly recorder: Recorder | undefined
  /** What happened to the call before this channel, or this life of the gateway. */
  readonly earlier: readonly CallEvent[]
  readonly emit: (fact: CallFact) => void
  /** Also when the record is closed. */
  readonly emitAfterwards: (fact: CallFact) => void
}

/** After these it does not begin again in the same call. */
const final: readonly RecordingEnd[] = ['stopped', 'diskFull', 'tooLong']

/**
 * When a call is recorded: from where the caller has been told, for as long as they are with an agent, until somebody does not
 * want it. Whoever comes back was told, and so was whoever is taken over. It is one recording, which ends when it cannot go on:
 * with the call, at the latest.
 */
export class CallRecording {
  readonly #with: CallRecordingDependencies
  readonly #id: string
  #told: boolean
  #over: boolean
  #kept: KeptRecording | undefined
  #line: Line | undefined
  /** What it came to so far, while it may go on: a caller who is with somebody else may come back. */
  #ended: EndedRecording | undefined
  #closed = false

  constructor(dependencies: CallRecordingDependencies) {
    this.#with = dependencies
    this.#id = recordingId(dependencies.call)
    const facts = dependencies.earlier.map(({ fact }) => fact)
    this.#told = facts.some(({ name }) => name === 'recordingAnnounced')
    this.#over = facts.some(
      fact => fact.name === 'recordingStopped' || (fact.name === 'recordingEnded' && final.includes(fact.why)),
    )
  }

  /** For the agent; nothing where the business does not want it, or nothing can be kept. */
  get forAgent(): CallRecorded | undefined {
    const { recorder, business } = this.#with
    if (!recorder || !business.recording.enabled || this.#over) return undefined
    const announcement = () => (this.#told || this.#over ? undefined : business.recording.announcement)
    return {
      get announcement() {
        return announcement()
      },
      announced: () => this.#announced(),
      stop: () => this.stop(),
    }
  }

  /** The caller is with an agent, by this line. */
  heardBy(line: Line): void {
    this.#line = line
    if (this.#told) this.#begin(line)
  }

  /** Also before it has begun: what is being announced is not begun then. */
  stop(): boolean {
    if (!this.forAgent || this.#closed) return false
    this.#over = true
    this.#with.emit({ name: 'recordingStopped', recording: this.#id })
    this.end('stopped')
    this.#tellEnd()
    return true
  }

  /** The call is over, and with it what was recorded of it. */
  close(): void {
    this.#closed = true
    this.end('callEnded')
    this.#tellEnd()
  }

  /** That line is over. */
  end(why: RecordingEnd): void {
    void this.#kept?.end(why)
    this.#kept = undefined
    this.#line = undefined
  }

  #announced(): void {
    if (this.#told || this.#over || !this.#line) return
    this.#told = true
    this.#with.emit({ name: 'recordingAnnounced', recording: this.#id })
    this.#begin(this.#line)
  }

  #begin(line: Line): void {
    const { recorder, business, clock, emit } = this.#with
    if (!recorder || !business.recording.enabled || this.#over || this.#kept) return
    const recording = this.#id
    const mostMs = limits.recording.seconds * 1_000
    const kept = recorder.begin(line, { id: recording, sides: 'both', beganAtMs: clock.wallMs(), mostMs })
    this.#kept = kept
    this.#ended = undefined
    emit({ name: 'recordingBegan', recording, ...(kept.again && { again: true }) })
    void kept.ended.then(ended => {
      if (this.#kept === kept) this.#kept = undefined
      // It goes on already.
      if (this.#kept) return
      this.#ended = ended
      this.#over ||= final.includes(ended.why)
      if (this.#over || this.#closed) this.#tellEnd()
    })
  }

  #tellEnd(): void {
    if (!this.#ended) return
    const { why, seconds, shedFrames } = this.#ended
    this.#ended = undefined
    // Of one that was to go on, and is not to any more, nothing else is told.
    const last = why === 'transferred' && this.#over ? 'stopped' : why
    const fact = { recording: this.#id, seconds: Math.ceil(seconds), why: last, shedFrames }
    this.#with.emitAfterwards({ name: 'recordingEnded', ...fact })
  }
}

/** The same for each life of the gateway that has the channel, telling nothing of it; no file's name begins with a dash. */
function recordingId(channel: string): string {
  return createHash('sha256').update(channel).digest('base64url').slice(0, 22).replace(/^-/, '_')
}
