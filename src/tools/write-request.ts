import { type HttpToolChoice, placeholder, secretReference } from '../business-tools.ts'
import type { CallFacts } from '../call/ports.ts'
import { limits } from '../limits.ts'
import type { HttpRequest } from './exchange.ts'

export type Arguments = Readonly<Record<string, unknown>>

export interface Occasion {
  readonly callId: string
  readonly facts: Pick<CallFacts, 'callerNumber' | 'calledUser' | 'parameters'>
  readonly idempotencyKey: string
}

const carriesBody: readonly string[] = ['POST', 'PUT', 'PATCH']

/**
 * The request that these arguments make, or in words what keeps it from being made. Without an occasion it tells of the call
 * nothing but them. Arguments fill the places that the
 * address has for them; the rest goes into the body, or behind the address where there is no body.
 */
export function writeRequest(
  choice: Pick<HttpToolChoice, 'url' | 'method' | 'headers' | 'effect'>,
  args: Arguments,
  occasion: Occasion | undefined,
  secrets: Readonly<Record<string, string | undefined>>,
): HttpRequest | { readonly problem: string } {
  const url = addressWith(choice.url, args)
  if ('problem' in url) return url
  const placed = new Set([...choice.url.matchAll(placeholder)].map(([, name]) => name))
  const rest = Object.entries(args).filter(([name, value]) => !placed.has(name) && value !== undefined)
  const { method } = choice
  const headers = {
    accept: 'application/json',
    'user-agent': 'parley',
    ...headersOf(choice, secrets),
    ...(occasion && contextOf(occasion)),
    ...(occasion && choice.effect === 'write' && { 'idempotency-key': occasion.idempotencyKey }),
  }
  if (!carriesBody.includes(method)) {
    for (const [name, value] of rest) for (const each of [value].flat()) url.searchParams.append(name, String(each))
    return { method, url, headers, body: undefined }
  }
  const body = JSON.stringify(Object.fromEntries(rest))
  const length = String(Buffer.byteLength(body))
  return { method, url, headers: { ...headers, 'content-type': 'application/json', 'content-length': length }, body }
}

/** What a caller has said may be a value within the address, and never more than one: no other path, no other host. */
function addressWith(template: string, args: Arguments): URL | { readonly problem: string } {
  for (const [, name = ''] of template.matchAll(placeholder)) {
    if (/^\.{0,2}$/.test(String(args[name] ?? ''))) return { problem: `${name}: it must say something.` }
  }
  const fill = (text: string) =>
    text.replaceAll(placeholder, (_, name: string) => encodeURIComponent(String(args[name]).toWellFormed()))
  const url = new URL(fill(template))
  const sample = new URL(template.replaceAll(placeholder, 'x'))
  const depth = ({ pathname }: URL) => pathname.split('/').length
  if (url.origin === sample.origin && depth(url) === depth(sample)) return url
  return { problem: 'The arguments make no address of this tool.' }
}

function headersOf(
  { headers }: Pick<HttpToolChoice, 'headers'>,
  secrets: Readonly<Record<string, string | undefined>>,
) {
  const filled = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    value.replaceAll(secretReference, (_, secret: string) => secrets[secret]?.trim() ?? ''),
  ])
  return Object.fromEntries(filled) as Record<string, string>
}

/** Who calls, for a server that wants to know. */
function contextOf({ callId, facts }: Occasion): Record<string, string> {
  const parameters = inAscii(JSON.stringify(facts.parameters))
  return {
    'parley-call': inAscii(callId),
    'parley-caller': inAscii(facts.callerNumber),
    'parley-called': inAscii(facts.calledUser),
    ...(parameters.length <= limits.tools.contextChars && { 'parley-parameters': parameters }),
  }
}

/** As JSON writes it: headers carry nothing else. */
function inAscii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
