import { parseNameAddress, tagOf } from './address.ts'
import { type Header, headerOf, type SipRequest, type SipResponse, sequenceOf, valuesOf } from './message.ts'

/** What two sides share from the answer to the end of a call (RFC 3261 section 12), as one of them holds it. */
export interface Dialog {
  readonly callId: string
  readonly local: string
  readonly remote: string
  readonly remoteTag: string
  /** The other side's Contact: where requests are addressed to. */
  target: string
  readonly routes: readonly string[]
  lastSequence: number
  remoteSequence: number
}

/** As the calling side holds it, from the INVITE and its success; undefined when that lacks its tag or its Contact. */
export function dialogOf(invite: SipRequest, success: SipResponse): Dialog | undefined {
  const remote = headerOf(success, 'To')!
  const remoteTag = tagOf(remote)
  const target = targetOf(success)
  if (!remoteTag || !target) return undefined
  return {
    callId: headerOf(invite, 'Call-ID')!,
    local: headerOf(invite, 'From')!,
    remote,
    remoteTag,
    target,
    routes: valuesOf(success, 'Record-Route').reverse(),
    lastSequence: sequenceOf(invite)!.number,
    remoteSequence: -1,
  }
}

/** As the side that was called holds it, from the INVITE; undefined when that lacks its tag or its Contact. */
export function dialogOfCallee(invite: SipRequest, tag: string, lastSequence: number): Dialog | undefined {
  const remote = headerOf(invite, 'From')!
  const remoteTag = tagOf(remote)
  const target = targetOf(invite)
  if (!remoteTag || !target) return undefined
  return {
    callId: headerOf(invite, 'Call-ID')!,
    local: `${headerOf(invite, 'To')};tag=${tag}`,
    remote,
    remoteTag,
    target,
    routes: valuesOf(invite, 'Record-Route'),
    lastSequence,
    remoteSequence: sequenceOf(invite)!.number,
  }
}

export function targetOf(message: SipRequest | SipResponse): string | undefined {
  const contact = valuesOf(message, 'Contact')[0]
  return contact === undefined ? undefined : parseNameAddress(contact)?.uri
}

/** A request within the dialog; ACK takes the number of the INVITE that it belongs to. */
export function requestIn(dialog: Dialog, method: string, number: number, headers: readonly Header[]): SipRequest {
  const { uri, routes } = route(dialog)
  return {
    kind: 'request',
    method,
    uri,
    headers: [
      ...headers,
      ...routes.map((value): Header => ['Route', value]),
      ['Max-Forwards', '70'],
      ['From', dialog.local],
      ['To', dialog.remote],
      ['Call-ID', dialog.callId],
      ['CSeq', `${number} ${method}`],
    ],
    body: '',
  }
}

/** RFC 3261 section 12.2.1.1: a first proxy without `lr` is an old, strict router and takes the request's own address. */
function route({ target, routes }: Dialog): { uri: string; routes: readonly string[] } {
  const first = routes[0] === undefined ? undefined : parseNameAddress(routes[0])?.uri
  if (first === undefined || /;lr(?:[;=?]|$)/i.test(first)) return { uri: target, routes }
  return { uri: first, routes: [...routes.slice(1), `<${target}>`] }
}
