import type { Business } from '../../business.ts'
import type { NoticeKind } from '../../call/carrier-events.ts'
import { type Clock, within } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { ClaimedJob } from '../../store/jobs.ts'
import type { NoticeStanding } from '../../store/notices.ts'
import { callerIn, notAnswered, type Occasion, occasionOf, wasMissed, wordsOf } from '../notices.ts'
import type { Notice, NoticeWay, Notifier } from '../notifier.ts'
import { type Handler, NotYet } from '../working.ts'
import { type DeskParts, factOf, type Story } from './desk-parts.ts'

export interface NotifyParts extends DeskParts {
  readonly notifiers: readonly Notifier[]
  /** Of a way without a notifier: what is missing, for its business. */
  readonly missing: Readonly<Partial<Record<NoticeWay, string>>>
  /** What is known of it; of one that nobody knew it is known from here on. */
  readonly claim: (notice: Notice, by: NoticeWay) => Promise<NoticeStanding>
  /** It was not told, and may be. */
  readonly release: (notice: Notice, by: NoticeWay) => Promise<void>
  /** Of a caller who was turned away: another gateway, or this one soon after, has answered them. */
  readonly served: (caller: Pick<Notice, 'business' | 'callerNumber' | 'atMs'>) => Promise<boolean>
}

interface Subject {
  readonly call: string
  readonly by: NoticeWay
  readonly notice: NoticeKind
  readonly about?: string
}

/** Tells one person of a business one thing by one way, once. What could not be told is in the record. */
export function notify(parts: NotifyParts): Handler {
  const roomIn = perHour(parts.clock, limits.notice.perBusinessPerHour)
  return async (job, signal) => {
    const { by, notice: kind, about = '', call } = job.subject as unknown as Subject
    const business = parts.find(job.business)
    const story = business && (await parts.record(call))
    const notice = story && noticeOf({ kind, about }, story, business)
    if (!notice || (isOfTurnedAway(story, notice) && (await parts.served(notice)))) return
    const standing = await parts.claim(notice, by)
    if (standing === 'told' || (standing === 'open' && job.attempts === 1)) return
    const problem = await problemWith(parts, { notice, by, business, job, standing, roomIn }, signal)
    if (problem instanceof NotYet || (problem?.retryable && job.attempts < limits.jobs.attempts)) {
      await parts.release(notice, by)
      throw problem
    }
    const details = problem ? { ok: false, why: problem.message } : { ok: true }
    const fact = { name: 'noticeSent', kind, ...(about === '' ? {} : { about }), by, ...details } as const
    parts.tell({ call: notice.call, business: business.id, atMs: parts.clock.wallMs(), fact })
    await parts.kept()
    if (problem) throw new GatewayError(problem.code, problem.message, { cause: problem })
  }
}

/** Nothing when there is no news: a call that was answered after all. */
function noticeOf(
  { kind, about }: Pick<Notice, 'kind' | 'about'>,
  { id: call, events }: Story,
  business: Business,
): Notice | undefined {
  if (kind === 'missedCall' && !wasMissed(events)) return undefined
  const occasions = events.map(each => {
    const atMs = each.at.getTime()
    return { occasion: occasionOf({ atMs, fact: factOf(each) }), atMs }
  })
  const news = occasions.find(({ occasion }) => occasion?.kind === kind && aboutOf(occasion, about))
  if (!news?.occasion) return undefined
  const { occasion, atMs } = news
  const { words: what, callerNumber = callerIn(events) } =
    occasion.kind === 'missedCall' ? { words: notAnswered, callerNumber: undefined } : occasion
  const words = wordsOf(business, { what, callerNumber, atMs }, limits.notice.chars)
  return { kind, about, call, business: business.id, atMs, callerNumber, words }
}

/** A job that was wanted when each kind was told once in a call is of the first of them. */
function aboutOf(occasion: Occasion, about: string): boolean {
  return about === '' || occasion.kind === 'missedCall' || occasion.about === about
}

function isOfTurnedAway({ events }: Story, { kind }: Notice): boolean {
  return kind === 'missedCall' && events.some(({ name }) => name === 'refused')
}

interface Wanted {
  readonly notice: Notice
  readonly by: NoticeWay
  readonly business: Business
  readonly job: ClaimedJob
  readonly standing: NoticeStanding
  readonly roomIn: (business: string) => number
}

async function problemWith(
  { notifiers, missing, clock }: NotifyParts,
  { notice, by, business, job, standing, roomIn }: Wanted,
  signal: AbortSignal,
): Promise<GatewayError | undefined> {
  // A mail has no key by which a server would know it again; whoever takes the others does. Only a person has it sent again:
  // that is a first attempt.
  if (by === 'mail' && (standing === 'open' || (standing === 'failed' && job.attempts > 1)))
    return failed('it is not known whether it was told: whoever told it was cut off')
  const notifier = notifiers.find(each => each.by === by)
  if (!notifier) return failed(missing[by] ?? 'there is no way to')
  const waitMs = roomIn(business.id)
  if (waitMs > 0) {
    const why = 'too many notices in one hour'
    return clock.wallMs() - notice.atMs < limits.notice.freshMs ? new NotYet(why, waitMs) : failed(why)
  }
  try {
    await deliver(notifier, notice, business, clock, signal)
    return undefined
  } catch (error) {
    return error instanceof GatewayError ? error : failed('it could not be handed over')
  }
}

function failed(why: string): GatewayError {
  return new GatewayError('TOOL_FAILED', why)
}

function deliver(notifier: Notifier, notice: Notice, business: Business, clock: Clock, signal: AbortSignal) {
  const { deliverMs } = limits.notice
  const over = new AbortController()
  const late = () => {
    const error = failed(`it took longer than ${deliverMs} ms`)
    over.abort(error)
    return error
  }
  return within(clock, deliverMs, notifier.deliver(notice, business, AbortSignal.any([over.signal, signal])), late)
}

/** Of one business: after how long there is room for one more; at once it is taken. */
function perHour(clock: Clock, most: number): (business: string) => number {
  const recent = new Map<string, number[]>()
  return business => {
    const now = clock.now()
    const within = (recent.get(business) ?? []).filter(at => now - at < HOUR_MS)
    const many = within.length >= most
    recent.set(business, many ? within : [...within, now])
    return many ? within[0]! + HOUR_MS - now : 0
  }
}

const HOUR_MS = 3_600_000
