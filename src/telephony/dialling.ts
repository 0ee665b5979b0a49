import type { DialFailure, DialRequest } from '../call/ports.ts'
import { MUSIC } from './ari.ts'

/** Of Q.850, as Asterisk makes them of SIP's answers. */
const BUSY = new Set([17])
/** No user responding, no answer from the user, subscriber absent. */
const NO_ANSWER = new Set([18, 19, 20])
const REJECTED = new Set([21])

/** Why a channel that was dialled has ended before anybody answered. */
export function failureOf(cause: number | undefined, rang: boolean): DialFailure {
  if (cause === undefined) return rang ? 'noAnswer' : 'unreachable'
  if (BUSY.has(cause)) return 'busy'
  if (REJECTED.has(cause)) return 'rejected'
  // Nobody at all has answered the INVITE.
  if (cause === 18 && !rang) return 'unreachable'
  return NO_ANSWER.has(cause) ? 'noAnswer' : 'unreachable'
}

/**
 * What is set on a channel before it is dialled: whom the far end sees calling, the headers of the INVITE, and whom the
 * dialplan tells of its end. Everything that is no X- header, or would end a line, stays out of it.
 */
export function dialVariables(
  { callerId, headers }: Pick<DialRequest, 'callerId' | 'headers'>,
  caller: string,
): Record<string, string> {
  const number = callerId.number.replace(/[^+0-9*#A-Za-z_.-]/g, '')
  const named = Object.entries(headers).filter(([name]) => /^X-[A-Za-z0-9-]{1,60}$/.test(name))
  return {
    PARLEY_CALLER: caller,
    'CHANNEL(hangup_handler_push)': 'dialled,s,1',
    'CHANNEL(musicclass)': MUSIC,
    'CONNECTEDLINE(num,i)': number,
    // Who withholds their number is anonymous (RFC 3323), and no address without a user.
    ...(number === '' && { 'CONNECTEDLINE(pres,i)': 'prohib' }),
    'CONNECTEDLINE(name,i)': (callerId.name ?? '').replace(/[\p{Cc}"<>\\]/gu, ''),
    ...Object.fromEntries(named.map(([name, value]) => [`PJSIP_HEADER(add,${name})`, value.replace(/\p{Cc}/gu, ' ')])),
  }
}
