import { limits } from '../limits.ts'

/** A header as it stands in the message: compact names are spelt out, folded lines joined (RFC 3261 section 7.3). */
export type Header = readonly [name: string, value: string]

interface Content {
  readonly headers: readonly Header[]
  readonly body: string
}

export interface SipRequest extends Content {
  readonly kind: 'request'
  readonly method: string
  readonly uri: string
}

export interface SipResponse extends Content {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
}

export type SipMessage = SipRequest | SipResponse

/** The start line and the headers, before the body is known. */
export interface Head {
  readonly start:
    | { readonly kind: 'request'; readonly method: string; readonly uri: string }
    | { readonly kind: 'response'; readonly status: number; readonly reason: string }
  readonly headers: readonly Header[]
  /** From Content-Length; undefined where the message has none. */
  readonly bodyBytes: number | undefined
}

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/
const END_OF_HEAD = '\r\n\r\n'

const longNames: ReadonlyMap<string, string> = new Map([
  ['c', 'Content-Type'],
  ['e', 'Content-Encoding'],
  ['f', 'From'],
  ['i', 'Call-ID'],
  ['k', 'Supported'],
  ['l', 'Content-Length'],
  ['m', 'Contact'],
  ['o', 'Event'],
  ['r', 'Refer-To'],
  ['s', 'Subject'],
  ['t', 'To'],
  ['u', 'Allow-Events'],
  ['v', 'Via'],
  ['x', 'Session-Expires'],
])

/** A message that fills one datagram; undefined for anything else. */
export function parseMessage(datagram: Buffer): SipMessage | undefined {
  const headEnd = datagram.indexOf(END_OF_HEAD)
  const head = headEnd === -1 ? undefined : parseHead(datagram.toString('utf8', 0, headEnd))
  if (!head) return undefined
  const bodyStart = headEnd + END_OF_HEAD.length
  const bodyBytes = head.bodyBytes ?? datagram.length - bodyStart
  if (bodyStart + bodyBytes > datagram.length) return undefined
  return withBody(head, datagram.toString('utf8', bodyStart, bodyStart + bodyBytes))
}

export function withBody({ start, headers }: Head, body: string): SipMessage {
  return { ...start, headers, body }
}

/** Reads everything up to the empty line; undefined unless all that RFC 3261 section 8.1.1 asks for is there. */
export function parseHead(text: string): Head | undefined {
  const [startLine, ...lines] = unfold(text)
  const start = parseStartLine(startLine ?? '')
  if (!start || lines.length > limits.caller.sipHeaders) return undefined
  const headers: Header[] = []
  for (const line of lines) {
    const header = parseHeader(line)
    if (!header) return undefined
    headers.push(header)
  }
  const lengths = valuesOf({ headers }, 'Content-Length')
  if (lengths.some(length => !/^\d{1,9}$/.test(length)) || new Set(lengths).size > 1) return undefined
  const head = { start, headers, bodyBytes: lengths[0] === undefined ? undefined : Number(lengths[0]) }
  return isComplete(head) ? head : undefined
}

function unfold(text: string): string[] {
  return text.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
}

function parseStartLine(line: string): Head['start'] | undefined {
  const response = /^SIP\/2\.0 ([1-6]\d\d) (.*)$/i.exec(line)
  if (response) return { kind: 'response', status: Number(response[1]), reason: response[2]! }
  const [method, uri, version, ...rest] = line.split(' ')
  if (!method || !uri || rest.length > 0 || version?.toUpperCase() !== 'SIP/2.0') return undefined
  return isToken(method) && !/\s/.test(uri) ? { kind: 'request', method, uri } : undefined
}

function parseHeader(line: string): Header | undefined {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon).trim()
  if (colon < 1 || !isToken(name) || line.includes('\r') || line.includes('\n')) return undefined
  return [longNames.get(name.toLowerCase()) ?? name, line.slice(colon + 1).trim()]
}

function isComplete({ start, headers }: Head): boolean {
  const cseq = sequenceOf({ headers })
  return (
    ['Via', 'From', 'To', 'Call-ID'].every(name => headerOf({ headers }, name)) &&
    cseq !== undefined &&
    (start.kind === 'response' || cseq.method === start.method)
  )
}

export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/** The first header of this name. */
export function headerOf({ headers }: { headers: readonly Header[] }, name: string): string | undefined {
  const lower = name.toLowerCase()
  return headers.find(([candidate]) => candidate.toLowerCase() === lower)?.[1]
}

/** The values of all headers of this name, where one header may hold several, separated by commas. */
export function valuesOf({ headers }: { headers: readonly Header[] }, name: string): string[] {
  const lower = name.toLowerCase()
  return headers.filter(([candidate]) => candidate.toLowerCase() === lower).flatMap(([, value]) => splitList(value))
}

/** Commas inside quotes or angle brackets separate nothing. */
function splitList(value: string): string[] {
  const parts: string[] = []
  let from = 0
  let quoted = false
  let depth = 0
  for (let at = 0; at < value.length; at++) {
    const char = value[at]
    if (quoted) {
      if (char === '\\') at += 1
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '<') depth += 1
    else if (char === '>') depth -= 1
    else if (char === ',' && depth <= 0) {
      parts.push(value.slice(from, at).trim())
      from = at + 1
    }
  }
  parts.push(value.slice(from).trim())
  return parts
}

export function sequenceOf(message: { headers: readonly Header[] }): { number: number; method: string } | undefined {
  const match = /^(\d{1,10})[ \t]+(\S+)$/.exec(headerOf(message, 'CSeq') ?? '')
  const number = Number(match?.[1])
  return match && number < 2 ** 31 && isToken(match[2]!) ? { number, method: match[2]! } : undefined
}

/** The message as bytes; Content-Length is this function's own. */
export function serialize(message: SipMessage): Buffer {
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`
  const lines = message.headers
    .filter(([name]) => name.toLowerCase() !== 'content-length')
    .map(([name, value]) => `${name}: ${value}`)
  const length = `Content-Length: ${Buffer.byteLength(message.body)}`
  return Buffer.from(`${[start, ...lines, length].join('\r\n')}${END_OF_HEAD}${message.body}`)
}
