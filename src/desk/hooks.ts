import { createHash } from 'node:crypto'
import type { Business } from '../business.ts'
import type { HookEvent } from '../business-kept.ts'
import type { CallEvent, CallFact } from '../call/events.ts'
import { limits } from '../limits.ts'
import type { WantedJob } from '../store/jobs.ts'

export type Hook = Business['hooks'][number]

/** What an integrator is told, as it is sent however often. */
export interface Delivery {
  /** By which whoever counts counts it once. */
  readonly id: string
  readonly url: string
  /** The variable that holds what it is signed with. */
  readonly secret: string
  readonly body: string
}

export type HookAnswer =
  | { readonly kind: 'taken'; readonly status: number }
  /** `why` is for a person: nothing of what was answered stands in it. */
  | { readonly kind: 'refused'; readonly status: number | undefined; readonly why: string; readonly hopeless: boolean }

export type SendHook = (delivery: Delivery, signal: AbortSignal) => Promise<HookAnswer>

interface News {
  readonly type: HookEvent
  /** What makes it this news and no other of its type. */
  readonly key: string
}

/** What an event is, for integrators. A call is told once to have begun and once to have ended, whoever had it in between. */
function newsOf({ call, atMs, fact }: Pick<CallEvent, 'call' | 'atMs' | 'fact'>): News | undefined {
  const moment = `${call} ${fact.name} ${atMs}`
  switch (fact.name) {
    case 'offered':
      return fact.again ? undefined : { type: 'call.started', key: call }
    case 'ended':
      return goesOn.includes(fact.reason) ? undefined : { type: 'call.ended', key: call }
    case 'summarized':
      return { type: 'call.summarized', key: moment }
    case 'messageTaken':
      return { type: 'message.taken', key: moment }
    case 'appointmentRequested':
      return { type: 'appointment.requested', key: moment }
    case 'voicemailLeft':
      return { type: 'voicemail.left', key: fact.private.recording }
    case 'transcribed':
      return { type: 'voicemail.transcribed', key: fact.recording }
    case 'recordingConverted':
      return { type: 'recording.ready', key: fact.recording }
    case 'transferEnded': {
      const type = fact.outcome === 'connected' ? 'transfer.connected' : 'transfer.failed'
      return { type, key: `${moment} ${fact.attempt}` }
    }
    default:
      return undefined
  }
}

/** Somebody else has the call, and tells its end. */
const goesOn: readonly string[] = ['takenOver', 'redirected']

/** One for each hook that wants to hear of it. */
export function deliveriesWantedBy(event: CallEvent, { id: business, hooks }: Business): readonly WantedJob[] {
  const news = newsOf(event)
  if (!news) return []
  return hooks
    .filter(hook => hook.enabled && hook.events.includes(news.type))
    .map(({ name }) => {
      const delivery = idOf(news, business, name)
      const group = `${business} ${name}`
      return { kind: 'deliver', key: delivery, business, group, subject: { call: event.call, hook: name, delivery } }
    })
}

function idOf({ type, key }: News, business: string, hook: string): string {
  const hash = createHash('sha256').update(JSON.stringify([business, hook, type, key]))
  return `msg_${hash.digest('base64url').slice(0, 22)}`
}

/** As the record has it. */
export interface ToldEvent {
  /** Its place among all that was told of the call. */
  readonly sequence: number
  readonly name: string
  readonly at: Date
  readonly details: Readonly<Record<string, unknown>>
  readonly private: Readonly<Record<string, unknown>> | null
}

export interface Told {
  readonly type: HookEvent
  readonly at: Date
  readonly body: string
}

interface Sought {
  readonly delivery: string
  /** By the name that it had in the event. */
  readonly call: string
  readonly business: string
  readonly hook: Hook
}

/** Out of all that was told of a call: what the delivery was wanted for. Nothing where that is no news after all. */
export function toldOf(
  { delivery, call: named, business, hook }: Sought,
  { id: call, events }: { readonly id: string; readonly events: readonly ToldEvent[] },
): Told | undefined {
  for (const event of events) {
    const news = newsOf({ call: named, atMs: event.at.getTime(), fact: factOf(event) })
    if (!news || idOf(news, business, hook.name) !== delivery) continue
    // A voicemail is made smaller, too.
    if (news.type === 'recording.ready' && !isRecording(event.details['recording'], events)) return undefined
    const data = { call, business, sequence: event.sequence, ...event.details }
    const open = hook.private ? { private: { ...shown(event), callerNumber: callerIn(events) } } : {}
    const told = { type: news.type, timestamp: event.at.toISOString(), data: { ...data, ...open } }
    const body = JSON.stringify(told)
    const short = { ...told, data: { ...data, tooLong: true } }
    const fits = Buffer.byteLength(body) <= limits.hooks.bodyBytes
    return { type: news.type, at: event.at, body: fits ? body : JSON.stringify(short) }
  }
  return undefined
}

function factOf({ name, details, private: hidden }: ToldEvent): CallFact {
  return { name, ...details, private: hidden ?? {} } as unknown as CallFact
}

function isRecording(recording: unknown, events: readonly ToldEvent[]): boolean {
  return events.some(({ name, details }) => name === 'recordingEnded' && details['recording'] === recording)
}

/** Of how a call came only who calls whom, and what the business has asked for: no headers of the network. */
function shown({ name, private: hidden }: ToldEvent): Readonly<Record<string, unknown>> {
  if (name !== 'offered') return hidden ?? {}
  const { calledUser, parameters } = hidden ?? {}
  return { calledUser, parameters }
}

function callerIn(events: readonly ToldEvent[]): unknown {
  return events.map(each => each.private?.['callerNumber']).find(number => typeof number === 'string' && number !== '')
}
