import { momentAt } from '../agent/hours.ts'
import type { Business } from '../business.ts'
import { finalStatuses, NOTHING_SAID } from '../call/carrier-events.ts'
import type { CallEvent, CallFact, EndReason } from '../call/events.ts'
import type { StoredEvent } from '../store/calls.ts'
import type { NoticeWay } from './notifier.ts'

/** What an event may be news of, for the people of the business. */
export type Occasion =
  | {
      readonly kind: 'voicemail' | 'voicemailWords' | 'urgent'
      /** Which of several of its kind in one call. */
      readonly about: string
      readonly callerNumber: string | undefined
      readonly words: string
    }
  /** Known by all that was told of the call, once nothing more is to be expected of it. */
  | { readonly kind: 'missedCall' }

export function occasionOf({ atMs, fact }: Pick<CallEvent, 'atMs' | 'fact'>): Occasion | undefined {
  switch (fact.name) {
    case 'voicemailLeft': {
      const { callerNumber, recording: about } = fact.private
      const words = `A caller has left a voicemail of ${fact.seconds} seconds.`
      return { kind: 'voicemail', about, callerNumber, words }
    }
    case 'transcribed': {
      const { text } = fact.private
      // There are no words in it, or they are gone with it.
      if (!text) return undefined
      const far = fact.by === 'builtIn' ? ', as far as it was understood' : ''
      const words = `The voicemail says${far}: ${text}`
      return { kind: 'voicemailWords', about: fact.recording, callerNumber: undefined, words }
    }
    case 'recordingGivenUp': {
      if (fact.why === NOTHING_SAID) return undefined
      const words = `A caller has left a voicemail that could not be fetched (${fact.why}). It is still with the carrier, as the recording ${fact.recording}.`
      return { kind: 'voicemail', about: fact.recording, callerNumber: undefined, words }
    }
    case 'messageTaken': {
      if (!fact.urgent) return undefined
      const { text, callback, person } = fact.private
      const words = `Urgent${person === undefined ? '' : `, for ${person}`}: ${text}`
      return { kind: 'urgent', about: String(atMs), callerNumber: callback, words }
    }
    case 'ended':
      return leftByCaller.includes(fact.reason) ? { kind: 'missedCall' } : undefined
    case 'refused':
      return turnedAway.includes(fact.reason) ? { kind: 'missedCall' } : undefined
    case 'carrierTold':
      return fact.direction === 'inbound' && isFinal(fact.status) ? { kind: 'missedCall' } : undefined
    default:
      return undefined
  }
}

/** Without somebody else who has them. */
const leftByCaller: readonly EndReason[] = [
  'callerHungUp',
  // By who has asked for a message, and was left none.
  'agentHungUp',
  'callerVanished',
  'failed',
  'timedOut',
  'drained',
  'refused',
]

/** For want of a place; not by choice of the business. */
const turnedAway: readonly string[] = ['capacity', 'draining', 'unready']

function isFinal(status: unknown): boolean {
  return finalStatuses.some(each => each === status)
}

type Told = Pick<StoredEvent, 'name' | 'details' | 'private'>

/** Nobody has spoken with the caller, and they have left no message, which is told by itself. */
export function wasMissed(told: readonly Told[]): boolean {
  const of = (name: CallFact['name']) => told.filter(each => each.name === name)
  const has = (name: CallFact['name'], key: string, value: unknown) =>
    of(name).some(each => each.details[key] === value)
  const overByCarrier = of('carrierTold').some(({ details }) => isFinal(details['status']))
  // While the carrier has the call it goes on elsewhere when its way to the agent has ended.
  const over =
    of('announced').length > 0 ? overByCarrier : overByCarrier || of('ended').length + of('refused').length > 0
  const outward = of('callAsked').length > 0 || has('carrierTold', 'direction', 'outbound')
  const tested = told.some(each => Object(each.private?.['parameters'])['test'] === 'yes')
  if (!over || outward || tested) return false
  // Who hears nothing but that they can leave a message has not been spoken with.
  const asked = told.findIndex(({ name }) => name === 'messageAsked')
  const talked = asked < 0 ? told : told.slice(0, asked)
  const spoken = talked.some(({ name, details }) => name === 'agentSpoke' && Number(details['ms']) > 0)
  const forwarded = has('announced', 'verdict', 'forward') || has('wayEnded', 'next', 'forward')
  const answered = has('transferEnded', 'outcome', 'connected') || (forwarded && has('wayEnded', 'status', 'completed'))
  const empty = has('recordingGivenUp', 'why', NOTHING_SAID)
  const left = of('voicemailLeft').length > 0 || (of('recordingAwaited').length > 0 && !empty)
  return !(spoken || answered || left || of('handedBack').length > 0 || has('announced', 'verdict', 'reject'))
}

export function callerIn(told: readonly Told[]): string | undefined {
  const numbers = told.map(each => each.private?.['callerNumber'])
  return numbers.find((number): number is string => typeof number === 'string' && number !== '')
}

/** As the business wants to be told. */
export function waysOf({ notify }: Pick<Business, 'notify'>): readonly NoticeWay[] {
  const { phone, email, webhook } = notify
  return [
    ...(phone === undefined ? [] : ['text' as const]),
    ...(email === undefined ? [] : ['mail' as const]),
    ...(webhook === undefined ? [] : ['webhook' as const]),
  ]
}

/** For a person: what happened, who it was, and when it was for them. */
export function wordsOf(
  { name, timeZone }: Pick<Business, 'name' | 'timeZone'>,
  said: { readonly what: string; readonly callerNumber: string | undefined; readonly atMs: number },
  mostChars: number,
): string {
  const who = said.callerNumber === undefined ? 'Their number is not known.' : `Their number: ${said.callerNumber}.`
  const rest = ` ${who} ${momentAt(said.atMs, timeZone)}, ${name}.`
  const room = Math.max(0, mostChars - rest.length)
  const what = said.what.length > room ? `${said.what.slice(0, Math.max(0, room - 3)).toWellFormed()}...` : said.what
  return `${what}${rest}`.slice(0, mostChars)
}

export const notAnswered = 'A caller was not answered.'
