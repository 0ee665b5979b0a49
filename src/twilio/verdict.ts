import { openingAt } from '../agent/hours.ts'
import type { Business } from '../business.ts'
import { contextName } from '../business-telephone.ts'
import type { CarrierStatus } from '../call/carrier-events.ts'
import { limits } from '../limits.ts'
import type { House, Values, WebhookRequest } from './webhook.ts'

/** Whom a request about a call is of. */
export interface Caller {
  readonly callSid: string
  /** Of the whole call: what Parley makes calls by, or else the CallSid. */
  readonly record: string
  /** Nothing for a number of nobody here. */
  readonly business: Business | undefined
  /** The other side's number, and ours; as Twilio has them. */
  readonly callerNumber: string
  readonly calledNumber: string
  /** Parley has called them. */
  readonly outbound: boolean
  /** Of what the business allows: by name, in its order. */
  readonly context: readonly (readonly [name: string, value: string])[]
}

/** What is to become of a caller. */
export type Decision =
  | { readonly kind: 'agent' }
  /** Instead of an agent: the business takes what callers say. */
  | { readonly kind: 'record' }
  | Business['telephone']['fallback']
  | { readonly kind: 'reject' }
  | { readonly kind: 'end' }

/** Nothing when it is of no call. */
export function callerOf(
  { query, fields }: WebhookRequest,
  { businesses, lone }: Pick<House, 'businesses'> & { readonly lone: () => boolean },
): Caller | undefined {
  const callSid = fields['CallSid'] ?? ''
  if (!/^CA[0-9a-f]{32}$/i.test(callSid)) return undefined
  const outbound = fields['Direction']?.startsWith('outbound') ?? false
  const { From: from = '', To: to = '' } = fields
  const [callerNumber, calledNumber] = outbound ? [to, from] : [from, to]
  const { record = '', business: named } = query
  const known = businesses()
  const business =
    (named === undefined ? undefined : known.find(named)) ??
    known.withNumber(calledNumber) ??
    (lone() ? known.standard : undefined)
  return {
    ...{ callSid, record: isName(record) ? record : callSid, business, callerNumber, calledNumber, outbound },
    context: business ? contextIn(query, outbound ? givenNames(query, business) : business.telephone.context) : [],
  }
}

/** Of one that Parley makes. */
function isName(record: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(record)
}

/** With a call that Parley makes goes what whoever asked for it has given: in the order of the business, as far as it lists that. */
function givenNames(query: Values, { telephone: { context } }: Business): string[] {
  const given = Object.keys(query).filter(name => contextName.safeParse(name).success)
  const listed = context.filter(name => given.includes(name))
  return [...new Set([...listed, ...given])].slice(0, limits.twilio.contextNames)
}

function contextIn(query: Values, names: readonly string[]): [string, string][] {
  return names.flatMap((name): [string, string][] => {
    const value = query[name]?.slice(0, limits.twilio.contextChars).trim() ?? ''
    return value === '' ? [] : [[name, value]]
  })
}

/** Of a call that begins; nobody asks the database. */
export function decisionOn(
  { business, outbound }: Pick<Caller, 'business' | 'outbound'>,
  { accepting, wallMs }: { readonly accepting: boolean; readonly wallMs: number },
): Decision {
  if (outbound) return { kind: business?.active && accepting ? 'agent' : 'end' }
  if (!business) return { kind: 'reject' }
  if (!business.active) return { kind: 'excuse' }
  const { closed, reception, fallback } = business.telephone
  if (closed !== 'agent' && openingAt(wallMs, business).open === false) return closed
  if (reception === 'record') return { kind: 'record' }
  return accepting ? { kind: 'agent' } : fallback
}

/**
 * When the way to whoever was to have the caller is over. Who was forwarded and not answered can leave a message: there is no
 * way round in a circle.
 */
export function decisionAfter(
  status: CarrierStatus,
  { business, outbound }: Pick<Caller, 'business' | 'outbound'>,
  forwarded: boolean,
): Decision {
  if (status === 'completed' || status === 'canceled' || outbound) return { kind: 'end' }
  if (!business) return { kind: 'excuse' }
  const { fallback } = business.telephone
  return forwarded && fallback.kind === 'forward' ? { kind: 'voicemail' } : fallback
}
