import type { Business } from '../business.ts'
import type { NoticeKind } from '../call/carrier-events.ts'
import type { CallEvent } from '../call/events.ts'
import { type Clock, pause, within } from '../clock.ts'
import { asError, GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import type { StoredEvent } from '../store/calls.ts'
import { callerIn, notAnswered, occasionOf, wasMissed, waysOf, wordsOf } from './notices.ts'
import type { Notice, NoticeWay, Notifier } from './notifier.ts'

export interface NotifyingParts {
  readonly notifiers: readonly Notifier[]
  /** Of a way without a notifier: what is missing, for its business. */
  readonly missing: Readonly<Partial<Record<NoticeWay, string>>>
  readonly find: (business: string) => Business | undefined
  /** A call by any of its names, with what was told of it so far; fails while that cannot be known. */
  readonly record: (
    call: string,
  ) => Promise<{ readonly id: string; readonly events: readonly StoredEvent[] } | undefined>
  /** Of a caller who was turned away: another gateway, or this one soon after, has answered them. */
  readonly served: (caller: {
    readonly business: string
    readonly callerNumber: string | undefined
    readonly atMs: number
  }) => Promise<boolean>
  /** False when it was given before, here or elsewhere; fails while that cannot be known. */
  readonly claim: (notice: Notice, by: NoticeWay) => Promise<boolean>
  readonly tell: (event: CallEvent) => void
  readonly clock: Clock
  readonly log: Log
}

interface Wanted {
  readonly event: CallEvent
  readonly kind: NoticeKind
  readonly callerNumber: string | undefined
  readonly words: string
}

/**
 * Tells the people of a business what they must hear of, each thing once by each of their ways. What could not be told is in
 * the record; it is not tried for ever.
 */
export class Notifying {
  readonly #with: NotifyingParts
  readonly #closing = new AbortController()
  /** Calls that are looked at when nothing more is to be expected of them. */
  readonly #waiting = new Map<string, () => void>()
  readonly #underWay = new Set<Promise<void>>()
  /** What was given here, for as long as the database cannot tell. */
  readonly #given = new Set<string>()
  readonly #recent = new Map<string, number[]>()

  constructor(parts: NotifyingParts) {
    this.#with = parts
  }

  hear(event: CallEvent): void {
    const occasion = occasionOf(event)
    const business = this.#with.find(event.business)
    if (!occasion || !business || waysOf(business).length === 0 || this.#closing.signal.aborted) return
    if (occasion.kind !== 'missedCall') this.#inBackground(() => this.#give({ ...occasion, event }))
    else if (business.active) this.#lookLater(event)
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('The gateway stops.'))
    for (const cancel of this.#waiting.values()) cancel()
    this.#waiting.clear()
    await Promise.all(this.#underWay)
  }

  /** The rest of what happened, a message that was left among it, is told meanwhile. */
  #lookLater(event: CallEvent): void {
    const { graceMs, waiting } = limits.notice
    if (this.#waiting.has(event.call) || this.#waiting.size >= waiting) return
    const cancel = this.#with.clock.after(graceMs, () => {
      this.#waiting.delete(event.call)
      this.#inBackground(async () => {
        const known = await this.#with.record(event.call)
        if (!known || !wasMissed(known.events)) return
        const callerNumber = callerIn(known.events)
        const again = { business: event.business, callerNumber, atMs: event.atMs }
        if (event.fact.name === 'refused' && (await this.#with.served(again))) return
        await this.#give({ event, kind: 'missedCall', callerNumber, words: notAnswered })
      })
    })
    this.#waiting.set(event.call, cancel)
  }

  async #give({ event, kind, callerNumber, words: what }: Wanted): Promise<void> {
    const business = this.#with.find(event.business)
    if (!business) return
    const known = await this.#with.record(event.call).catch(() => undefined)
    const said = { what, callerNumber: callerNumber ?? (known && callerIn(known.events)), atMs: event.atMs }
    const notice: Notice = {
      ...{ kind, call: known?.id ?? event.call, business: business.id, atMs: event.atMs },
      callerNumber: said.callerNumber,
      words: wordsOf(business, said, limits.notice.chars),
    }
    await Promise.all(waysOf(business).map(by => this.#giveBy(by, notice, business)))
  }

  async #giveBy(by: NoticeWay, notice: Notice, business: Business): Promise<void> {
    if (!(await this.#isFirst(notice, by))) return
    const why = await this.#problemWith(by, notice, business)
    const { call, kind } = notice
    const atMs = this.#with.clock.wallMs()
    const details = why === undefined ? { ok: true } : { ok: false, why }
    this.#with.tell({ call, business: business.id, atMs, fact: { name: 'noticeSent', kind, by, ...details } })
    if (why !== undefined)
      this.#with.log.error({ call, business: business.id, kind, by }, `somebody could not be told of it: ${why}`)
  }

  async #isFirst(notice: Notice, by: NoticeWay): Promise<boolean> {
    const key = [notice.call, notice.kind, by].join(' ')
    if (this.#given.has(key)) return false
    this.#given.add(key)
    if (this.#given.size > limits.notice.known) this.#given.delete(this.#given.values().next().value!)
    // While the database is away better told here than not at all.
    return this.#with.claim(notice, by).catch(() => true)
  }

  async #problemWith(by: NoticeWay, notice: Notice, business: Business): Promise<string | undefined> {
    const notifier = this.#with.notifiers.find(each => each.by === by)
    if (!notifier) return this.#with.missing[by] ?? 'there is no way to'
    if (this.#tooMany(business.id)) return 'too many notices in one hour'
    try {
      await this.#deliver(notifier, notice, business)
      return undefined
    } catch (first) {
      if (!(first instanceof GatewayError && first.retryable)) return asError(first).message
    }
    try {
      await pause(this.#with.clock, limits.notice.retryMs, this.#closing.signal)
      await this.#deliver(notifier, notice, business)
      return undefined
    } catch (second) {
      return asError(second).message
    }
  }

  #deliver(notifier: Notifier, notice: Notice, business: Business): Promise<void> {
    const { deliverMs } = limits.notice
    const over = new AbortController()
    const late = () => {
      const error = new GatewayError('TOOL_FAILED', `it took longer than ${deliverMs} ms`)
      over.abort(error)
      return error
    }
    const signal = AbortSignal.any([over.signal, this.#closing.signal])
    return within(this.#with.clock, deliverMs, notifier.deliver(notice, business, signal), late)
  }

  #tooMany(business: string): boolean {
    const now = this.#with.clock.now()
    const recent = (this.#recent.get(business) ?? []).filter(at => now - at < HOUR_MS)
    const many = recent.length >= limits.notice.perBusinessPerHour
    this.#recent.set(business, many ? recent : [...recent, now])
    return many
  }

  #inBackground(run: () => Promise<void>): void {
    const { waiting } = limits.notice
    if (this.#underWay.size >= waiting)
      return void this.#with.log.error(`more than ${waiting} notices wait to be given: one is left out`)
    const running = run().catch(err => this.#with.log.error({ err }, 'a notice could not be given'))
    this.#underWay.add(running)
    void running.finally(() => this.#underWay.delete(running))
  }
}

const HOUR_MS = 3_600_000
