import { tagOf } from './address.ts'
import { type Header, headerOf, type SipRequest, type SipResponse, valuesOf } from './message.ts'

export const allowed: Header = ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY']

const reasons = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  500: 'Server Internal Error',
  503: 'Service Unavailable',
  603: 'Decline',
} as const

export type Status = keyof typeof reasons

/** What a telephone may say to a call that it does not take. */
export type Refusal = 403 | 404 | 480 | 486 | 488 | 500 | 503 | 603

/** What every response repeats of its request (RFC 3261 section 8.2.6.2). */
export function responseTo(
  request: SipRequest,
  status: Status,
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
      // A 100 is no part of a dialog (section 8.2.6.2).
      ['To', tagOf(to) === undefined && status !== 100 ? `${to};tag=${from.tag}` : to],
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
