import { request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { limits } from '../limits.ts'
import type { Reach } from './reach.ts'

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

/** All addresses of a name; rejects when it has none. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>

/** How a request ended. In `unanswered`, `sent` tells whether anything of it can have reached the server. */
export type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | { readonly kind: 'barred' }
  | { readonly kind: 'unanswered'; readonly sent: boolean; readonly why: string }
  /** It began to answer, and did not come to a good end. */
  | { readonly kind: 'broken'; readonly why: string }

interface ExchangeParts {
  readonly reach: Reach
  readonly resolve: Resolve
  /** More is not read. */
  readonly answerBytes?: number
  /** By its status it has answered, whatever becomes of the rest. */
  readonly byStatus?: boolean
}

/**
 * One request. Connected to is only what may be reached, and what was looked at is what is connected to: a name is resolved
 * once. Redirects are not followed. It ends with its signal.
 */
export async function exchange(
  request: HttpRequest,
  { reach, resolve, answerBytes = limits.tools.answerBytes, byStatus = false }: ExchangeParts,
  signal: AbortSignal,
): Promise<Answer> {
  let found: readonly ResolvedAddress[]
  try {
    found = await addressesOf(request.url, resolve)
  } catch {
    return { kind: 'unanswered', sent: false, why: 'its name is not known' }
  }
  const addresses = found.filter(({ address }) => reach(address))
  if (addresses.length === 0) return { kind: 'barred' }
  return new Promise(settle => send(request, { addresses, answerBytes, byStatus, signal }, settle))
}

async function addressesOf({ hostname }: URL, resolve: Resolve): Promise<readonly ResolvedAddress[]> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const family = isIP(host)
  return family === 0 ? await resolve(host) : [{ address: host, family }]
}

interface Sending {
  readonly addresses: readonly ResolvedAddress[]
  readonly answerBytes: number
  readonly byStatus: boolean
  readonly signal: AbortSignal
}

function send(
  { url, method, headers, body }: HttpRequest,
  { addresses, answerBytes, byStatus, signal }: Sending,
  settle: (answer: Answer) => void,
): void {
  const secure = url.protocol === 'https:'
  let sent = false
  const lookup = lookupOf(addresses)
  // A connection of its own: one that is kept may be to an address that its name no longer has.
  const request = (secure ? overHttps : overHttp)(url, { method, headers, lookup, signal, agent: false })
  request.on('socket', socket => {
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      sent = true
    })
  })
  const broken = (why: string, status: number) =>
    settle(byStatus ? { kind: 'answered', status, text: '' } : { kind: 'broken', why })
  let status: number | undefined
  request.on('error', error => {
    if (status === undefined) settle({ kind: 'unanswered', sent, why: wordFor(error) })
    else broken(wordFor(error), status)
  })
  // Of a connection that nobody takes over Node tells nothing more, not even its end.
  request.on('upgrade', (_response, socket) => {
    socket.destroy()
    settle({ kind: 'broken', why: 'it wants to speak another protocol' })
  })
  request.on('response', response => {
    const pieces: Buffer[] = []
    let bytes = 0
    const known = response.statusCode ?? 0
    status = known
    response.on('data', (piece: Buffer) => {
      bytes += piece.length
      pieces.push(piece)
      if (bytes <= answerBytes) return
      broken(`its answer is longer than ${answerBytes} bytes`, known)
      request.destroy()
    })
    response.on('error', error => broken(wordFor(error), known))
    response.on('end', () => settle({ kind: 'answered', status: known, text: Buffer.concat(pieces).toString() }))
  })
  request.end(body)
}

function lookupOf(addresses: readonly ResolvedAddress[]): LookupFunction {
  const [first] = addresses
  return (_host, { all }, done) => {
    if (all) done(null, [...addresses])
    else done(null, first!.address, first!.family)
  }
}

/** Never the message itself: it may name the address with what the caller has said in it. */
function wordFor(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? `the connection failed (${error.code})` : 'it broke off'
}
