import { type Clock, every, within } from '../clock.ts'
import { asError, GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { type ClaimedJob, type JobFailure, type JobKind, type Jobs, jobKinds } from '../store/jobs.ts'

/**
 * What a job of one kind does. It may be done before, in whole or in part, by a life that died: it looks for its effect first.
 * An error that is not retryable is for a person; any other is tried again.
 */
export type Handler = (job: ClaimedJob, signal: AbortSignal) => Promise<void>

/** What can be done where a file is, or a journal, and nowhere else: it is left to that gateway, and is no attempt. */
export class OfAnother extends GatewayError {
  constructor(what: string) {
    super('SOUND_UNREADABLE', `${what} of another gateway`, { retryable: true })
  }
}

/** What is to be done, and cannot be just now: it waits, and that is no attempt. */
export class NotYet extends GatewayError {
  declare readonly waitMs: number

  constructor(why: string, waitMs: number) {
    super('CAPACITY', why, { retryable: true, waitMs })
  }
}

/** A kind without one is neither wanted nor claimed. */
export type Handlers = Readonly<Partial<Record<JobKind, Handler>>>

export interface WorkingParts {
  /** None while the database is away. */
  readonly jobs: () => Pick<Jobs, 'due' | 'claim' | 'done' | 'failed' | 'tend'> | undefined
  readonly handlers: Handlers
  readonly clock: Clock
  readonly log: Log
  readonly ended?: (kind: JobKind, how: JobOutcome) => void
  /** Left out: those of the program. */
  readonly bounds?: typeof limits.jobs
}

/** `again` is tried once more, `failed` is left to a person. */
type JobOutcome = 'done' | 'again' | 'failed'

/** A few minutes. */
const MOST_LOOKS = 8

/**
 * Takes jobs and does them, each alone. It asks for those of which it has heard; for all only now and then: what comes due,
 * and what others have left.
 */
export class Working {
  readonly #with: WorkingParts
  readonly #bounds: typeof limits.jobs
  readonly #closing = new AbortController()
  readonly #underWay = new Map<JobKind, Set<Promise<void>>>()
  readonly #claiming = new Set<JobKind>()
  readonly #again = new Set<JobKind>()
  #tendedAt: number | undefined
  /** Of each kind: how often something was left to others since one was done, and looks that are theirs alone. */
  readonly #left = new Map<JobKind, { times: number; looks: number }>()
  #failing = false
  #stopLooking = () => {}

  constructor(parts: WorkingParts) {
    this.#with = parts
    this.#bounds = parts.bounds ?? limits.jobs
  }

  get kinds(): readonly JobKind[] {
    return jobKinds.filter(kind => this.#with.handlers[kind] !== undefined)
  }

  /** Now, and from time to time. */
  watch(): void {
    this.#look()
    this.#stopLooking = every(this.#with.clock, this.#bounds.lookMs, () => this.#look())
  }

  /** There are some of these kinds, or may be. */
  wake(kinds: Iterable<JobKind>): void {
    for (const kind of kinds) if (this.#with.handlers[kind]) this.#claim(kind)
  }

  /** What is under way is given back when it does not end in time. */
  async close(): Promise<void> {
    this.#stopLooking()
    this.#closing.abort(new Error('The gateway stops.'))
    const ends = [...this.#underWay.values()].flatMap(running => [...running])
    const late = () => new Error('the last jobs took too long')
    // Whoever comes next finds them.
    await within(this.#with.clock, this.#bounds.closeMs, Promise.all(ends), late).catch(() => {})
  }

  #look(): void {
    const { clock } = this.#with
    const jobs = this.#with.jobs()
    if (!jobs) return
    const ours = this.kinds.filter(kind => !this.#isTurnOfOthers(kind))
    // One question while there is nothing to do, instead of one of each kind.
    void jobs.due(ours).then(
      kinds => this.wake(kinds),
      error => this.#couldNot(error),
    )
    if (this.#tendedAt !== undefined && clock.now() - this.#tendedAt < this.#bounds.tendMs) return
    this.#tendedAt = clock.now()
    void jobs.tend().catch(error => this.#couldNot(error))
  }

  /** One question at a time for each kind; one that is heard of meanwhile is asked for again. */
  #claim(kind: JobKind): void {
    if (this.#closing.signal.aborted) return
    if (this.#claiming.has(kind)) return void this.#again.add(kind)
    const running = this.#underWay.get(kind) ?? new Set()
    this.#underWay.set(kind, running)
    const room = this.#bounds.atOnce[kind] - running.size
    const jobs = this.#with.jobs()
    if (!jobs) return
    // Whichever ends next asks for more.
    if (room <= 0) return void this.#again.add(kind)
    this.#claiming.add(kind)
    this.#again.delete(kind)
    const claimed = jobs.claim(kind, room).then(
      found => {
        this.#failing = false
        for (const job of found) this.#begin(job, running)
        if (found.length === room) this.#again.add(kind)
      },
      error => this.#couldNot(error),
    )
    void claimed.finally(() => {
      this.#claiming.delete(kind)
      if (this.#again.has(kind) && running.size < this.#bounds.atOnce[kind]) this.#claim(kind)
    })
  }

  #begin(job: ClaimedJob, running: Set<Promise<void>>): void {
    const run = this.#run(job).catch(error => this.#couldNot(error))
    running.add(run)
    void run.finally(() => {
      running.delete(run)
      // Its group may have had no room for more, whatever room there was for others.
      if (this.#again.has(job.kind) || job.kind in this.#bounds.ofGroup) this.#claim(job.kind)
    })
  }

  async #run(job: ClaimedJob): Promise<void> {
    const { ended } = this.#with
    const failure = await this.#failureOf(job)
    const jobs = this.#with.jobs()
    if (!failure) {
      this.#left.delete(job.kind)
      await jobs?.done(job)
      return ended?.(job.kind, 'done')
    }
    await jobs?.failed(job, failure)
    if (failure.isNoAttempt) return
    const last = failure.hopeless || job.attempts >= this.#bounds.attempts
    ended?.(job.kind, last ? 'failed' : 'again')
    const more = last ? 'it is left to a person: npm run jobs -- list' : 'it is tried again'
    const { kind, id, business, subject, attempts } = job
    this.#with.log[last ? 'error' : 'warn'](
      { ...subject, kind, job: id, business, attempts },
      `a job could not be done: ${failure.why}; ${more}`,
    )
  }

  async #failureOf(job: ClaimedJob): Promise<JobFailure | undefined> {
    const { handlers, clock } = this.#with
    const over = new AbortController()
    const aliveMs = this.#bounds.aliveMs[job.kind]
    const late = () => {
      const error = new GatewayError('STATE_TIMEOUT', `it took longer than ${aliveMs / 1_000} s`, { retryable: true })
      over.abort(error)
      return error
    }
    try {
      const signal = AbortSignal.any([over.signal, this.#closing.signal])
      await within(clock, aliveMs, handlers[job.kind]!(job, signal), late)
      return undefined
    } catch (error) {
      if (this.#closing.signal.aborted) return { why: 'the gateway stopped' }
      const none = { why: asError(error).message, isNoAttempt: true }
      if (error instanceof OfAnother) return { ...none, notBeforeMs: this.#leave(job) }
      if (error instanceof NotYet) return { ...none, notBeforeMs: clock.wallMs() + error.waitMs }
      return this.#toldOf(error)
    }
  }

  /** The words of an error that is none of ours may be somebody else's, and hold what was sent. */
  #toldOf(error: unknown): JobFailure {
    if (!(error instanceof GatewayError)) return { why: `it failed (${asError(error).name})` }
    const { message, retryable, waitMs } = error
    const notBeforeMs = waitMs === undefined ? undefined : this.#with.clock.wallMs() + waitMs
    return { why: message, hopeless: !retryable, notBeforeMs }
  }

  /** The others look first, longer each time: whoever always looked a moment before them would have it for ever. */
  #leave({ kind }: ClaimedJob): number {
    const times = (this.#left.get(kind)?.times ?? 0) + 1
    this.#left.set(kind, { times, looks: Math.min(times, MOST_LOOKS) })
    return this.#with.clock.wallMs() + this.#bounds.lookMs / 2
  }

  #isTurnOfOthers(kind: JobKind): boolean {
    const left = this.#left.get(kind)
    if (!left || left.looks === 0) return false
    left.looks -= 1
    return true
  }

  #couldNot(error: unknown): void {
    if (this.#failing || this.#closing.signal.aborted) return
    this.#failing = true
    const { code } = Object(error) as { code?: unknown }
    const known = typeof code === 'string' ? ` (${code})` : ''
    this.#with.log.warn(`The database could not be asked for jobs${known}: they wait there.`)
  }
}
