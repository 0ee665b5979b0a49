import { tagOf } from './address.ts'
import { type Header, headerOf, type SipRequest, type SipResponse, valuesOf } from './message.ts'

export const allowed: Header = ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY']

const reasons = {
  200: 'OK',
  405: 'Method Not Allowed',
  481: 'Call/Transaction Does Not Exist',
  488: 'Not Acceptable Here',
  500: 'Server Internal Error',
} as const

/** What every response repeats of its request (RFC 3261 section 8.2.6.2). */
export function responseTo(
  request: SipRequest,
  status: keyof typeof reasons,
  from: { source: { address: string; port: number }; tag: string },
  more: { headers?: readonly Header[]; body?: string } = {},
): SipResponse {
  const [top, ...vias] = valuesOf(request, 'Via')
  const to = headerOf(request, 'To')!
  return {
    kind: 'response',
    status,
    reason: reasons[status],
    headers: [
      ['Via', withSource(top!, from.source)],
      ...vias.map((via): Header => ['Via', via]),
      ['From', headerOf(request, 'From')!],
      ['To', tagOf(to) === undefined ? `${to};tag=${from.tag}` : to],
      ['Call-ID', headerOf(request, 'Call-ID')!],
      ['CSeq', headerOf(request, 'CSeq')!],
      ...(more.headers ?? []),
    ],
    body: more.body ?? '',
  }
}

/** Tells a sender that asks for it where its request came from (RFC 3581 section 4). */
function withSource(via: string, source: { address: string; port: number }): string {
  return via.replace(/;\s*rport(?=\s*(?:;|$))/i, `;received=${source.address};rport=${source.port}`)
}
