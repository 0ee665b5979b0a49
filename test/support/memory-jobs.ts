import type { Clock } from '../../src/clock.ts'
import { limits } from '../../src/limits.ts'
import type { ClaimedJob, JobFailure, JobKind, Jobs, WantedJob } from '../../src/store/jobs.ts'

interface Row {
  readonly wanted: WantedJob
  readonly id: string
  attempts: number
  dueMs: number
  state: 'waiting' | 'underWay' | 'done' | 'failed'
  why: string | undefined
}

/** As the queue of jobs does it, in the time of a test: wanted once, claimed once, tried again later. */
export class MemoryJobs implements Pick<Jobs, 'want' | 'due' | 'claim' | 'done' | 'failed' | 'tend'> {
  readonly rows: Row[] = []
  /** Every question, in order. */
  readonly asked: string[] = []
  /** Fails with it, while it is there. */
  away: Error | undefined
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async want(wanted: readonly WantedJob[]): Promise<void> {
    for (const each of wanted) {
      const id = `${each.kind} ${each.key}`
      if (this.rows.some(row => row.id === id)) continue
      const dueMs = each.afterMs ?? this.#clock.wallMs()
      this.rows.push({ wanted: each, id, attempts: 0, dueMs, state: 'waiting', why: undefined })
    }
  }

  async due(kinds: readonly JobKind[]): Promise<JobKind[]> {
    this.#ask(`due ${kinds.join(' ')}`)
    return kinds.filter(kind => this.#dueOf(kind).length > 0)
  }

  async claim(kind: JobKind, most: number): Promise<ClaimedJob[]> {
    this.#ask(`claim ${kind} ${most}`)
    const due = this.#dueOf(kind)
    const bounds: Readonly<Partial<Record<JobKind, number>>> = limits.jobs.ofGroup
    const ofGroup = bounds[kind] ?? Number.POSITIVE_INFINITY
    const taken = new Map<string | undefined, number>()
    const count = (group: string | undefined) => taken.set(group, (taken.get(group) ?? 0) + 1)
    for (const { wanted, state } of this.rows) if (wanted.kind === kind && state === 'underWay') count(wanted.group)
    const found = due.filter(({ wanted: { group } }) => {
      if (group !== undefined && (taken.get(group) ?? 0) >= ofGroup) return false
      count(group)
      return true
    })
    return found.slice(0, most).map(row => {
      row.state = 'underWay'
      row.attempts += 1
      const { afterMs: _, ...wanted } = row.wanted
      return { ...wanted, id: row.id, attempts: row.attempts }
    })
  }

  async done({ id }: Pick<ClaimedJob, 'kind' | 'id'>): Promise<void> {
    this.#ask(`done ${id}`)
    this.#find(id).state = 'done'
  }

  async failed(
    { id }: Pick<ClaimedJob, 'kind' | 'id'>,
    { why, hopeless, notBeforeMs, isNoAttempt }: JobFailure,
  ): Promise<void> {
    this.#ask(`failed ${id}`)
    const row = this.#find(id)
    row.why = why
    if (isNoAttempt) {
      row.attempts -= 1
      row.state = 'waiting'
      row.dueMs = notBeforeMs ?? 0
      return
    }
    row.state = hopeless || row.attempts >= limits.jobs.attempts ? 'failed' : 'waiting'
    const retryMs = Math.min(limits.jobs.retryMs.most, limits.jobs.retryMs.first * 2 ** (row.attempts - 1))
    row.dueMs = Math.max(this.#clock.wallMs() + retryMs, notBeforeMs ?? 0)
  }

  async tend(): Promise<void> {
    this.#ask('tend')
  }

  /** Of each job, by kind and key. */
  get states(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.rows.map(({ id, state }) => [id, state]))
  }

  #dueOf(kind: JobKind): Row[] {
    const isDue = ({ wanted, state, dueMs }: Row) =>
      wanted.kind === kind && state === 'waiting' && dueMs <= this.#clock.wallMs()
    return this.rows.filter(isDue)
  }

  #ask(question: string): void {
    this.asked.push(question)
    if (this.away) throw this.away
  }

  #find(id: string): Row {
    const row = this.rows.find(each => each.id === id)
    if (!row) throw new Error(`there is no job ${id}`)
    return row
  }
}
