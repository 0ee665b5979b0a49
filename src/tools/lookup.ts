import { createHash } from 'node:crypto'
import type { Business } from '../business.ts'
import type { LookupChoice } from '../business-lookup.ts'
import { tellsWhoCalls } from '../call/caller-number.ts'
import type { CallFacts, LiveCall, Looked } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { type Answer, exchange, type HttpRequest } from './exchange.ts'
import type { HttpToolParts } from './http-tools.ts'
import { writeRequest } from './write-request.ts'

type Asking = Pick<LiveCall, 'facts' | 'business'>
type Sent = Readonly<Record<string, string>>

export interface LookupParts extends HttpToolParts {
  readonly clock: Clock
}

/** A business's own records of its callers: asked once for all calls that want the same, and remembered for a while. */
export class Lookup {
  readonly #with: LookupParts
  /** The oldest is forgotten. */
  readonly #answers = new Map<string, { readonly untilMs: number; readonly looked: Looked }>()
  readonly #asking = new Map<string, Promise<Looked>>()

  constructor(parts: LookupParts) {
    this.#with = parts
  }

  /** Nothing when there is nobody to be asked, or nothing that could be asked about. */
  ask({ facts, business }: Asking): Promise<Looked> | undefined {
    const { lookup } = business
    if (!lookup) return undefined
    const sent = sentOf(lookup, facts)
    const request = writeRequest({ ...lookup, effect: 'read' }, sent, undefined, this.#with.secrets)
    if (Object.keys(sent).length === 0 || 'problem' in request) return undefined
    const key = keyOf(business, sent)
    const known = this.#answers.get(key)
    if (known && this.#with.clock.now() < known.untilMs) return Promise.resolve(known.looked)
    const asking = this.#asking.get(key) ?? this.#ask(key, request, lookup)
    this.#asking.set(key, asking)
    return asking
  }

  async #ask(key: string, request: HttpRequest, lookup: LookupChoice): Promise<Looked> {
    const { clock, reach, resolve } = this.#with
    const over = new AbortController()
    // Not with the call that asked first: another may wait for the same.
    const cancel = clock.after(lookup.timeoutMs, () => over.abort(new Error('The time is over.')))
    try {
      const answerBytes = limits.lookup.answerBytes
      const looked = read(await exchange(request, { reach, resolve, answerBytes }, over.signal))
      if (looked.kind === 'told') this.#remember(key, looked, lookup.cacheSeconds)
      return looked
    } finally {
      cancel()
      this.#asking.delete(key)
    }
  }

  #remember(key: string, looked: Looked, seconds: number): void {
    if (seconds === 0) return
    this.#answers.delete(key)
    this.#answers.set(key, { untilMs: this.#with.clock.now() + 1_000 * seconds, looked })
    if (this.#answers.size > limits.lookup.cached) this.#answers.delete(this.#answers.keys().next().value!)
  }
}

/** Of what the business lists, what this call has. A number that is withheld is none. */
function sentOf({ parameters }: LookupChoice, facts: CallFacts): Sent {
  const { callerNumber, calledUser } = facts
  const own: Readonly<Record<string, string | undefined>> = {
    ...facts.parameters,
    calledNumber: facts.parameters['calledNumber'] ?? calledUser,
    callerNumber: tellsWhoCalls(callerNumber) ? callerNumber : undefined,
  }
  const sent = parameters.flatMap(name => {
    const value = Object.hasOwn(own, name) ? own[name] : undefined
    return value ? [[name, value] as const] : []
  })
  // Which of its numbers was called tells nothing of who calls.
  return sent.every(([name]) => name === 'calledNumber') ? {} : Object.fromEntries(sent)
}

/** A look-up that has been changed is another. */
function keyOf({ id, lookup }: Business, sent: Sent): string {
  return createHash('sha256')
    .update(JSON.stringify([id, lookup, sent]))
    .digest('base64')
}

/** What an answer means; one that nobody is known by is an answer, too. */
function read(answer: Answer): Looked {
  switch (answer.kind) {
    case 'barred':
      return failed('their address is private, see TOOLS_ALLOW_PRIVATE')
    case 'unanswered':
    case 'broken':
      return failed(answer.why)
    case 'answered': {
      const { status, text } = answer
      if (status === 404 || status === 204) return { kind: 'told', name: undefined, records: {} }
      return status === 200 ? readText(text) : failed(`they answered ${status}`)
    }
  }
}

function failed(why: string): Looked {
  return { kind: 'failed', why }
}

function readText(text: string): Looked {
  const answer = parsed(text)
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    return failed('their answer is no JSON object')
  }
  const { fields, fieldNameChars, valueChars } = limits.lookup
  const { name, ...rest } = answer as Record<string, unknown>
  const records = Object.entries(rest)
    .map(([field, value]) => [inOneLine(field, fieldNameChars), plain(value, valueChars)] as const)
    .filter(([field, value]) => field !== '' && value !== '')
    .slice(0, fields)
  return {
    kind: 'told',
    name: plain(name, limits.context.nameChars) || undefined,
    records: Object.fromEntries(records),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Lists and objects are left out: what a caller is told of must be easy to say. */
function plain(value: unknown, chars: number): string {
  return ['string', 'number', 'boolean'].includes(typeof value) ? inOneLine(String(value), chars) : ''
}

function inOneLine(text: string, chars: number): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, chars)
}
