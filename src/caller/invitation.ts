import { escapeParameter, escapeUser, hostPort } from './address.ts'
import type { Connection, ConnectionOptions } from './connection.ts'
import { type Header, isToken } from './message.ts'
import type { SoundOptions } from './talk.ts'

export interface CallOptions extends ConnectionOptions, SoundOptions {
  /** The user part of the address that is called. */
  readonly user: string
  /** What the address names, where that is not where the connection leads. */
  readonly host?: string
  /** Parameters of the request URI, such as callSid. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Further headers of the INVITE, such as X-Twilio-CallSid. */
  readonly headers?: Readonly<Record<string, string>>
  /** The number that calls. */
  readonly from?: string
  /** The INVITE describes no sound: the callee's answer offers it, and the ACK answers that (RFC 3261 section 13.2.1). */
  readonly lateOffer?: boolean
  /** A connection that several calls share; whoever opened it closes it. By default each call has its own. */
  readonly connection?: Connection
}

/** Who calls whom, as the headers say it. */
export interface Invitation {
  readonly uri: string
  readonly from: string
  readonly to: string
  readonly contactUser: string
  readonly headers: readonly Header[]
  readonly lateOffer?: boolean
}

const DEFAULT_FROM = '+15550100199'

/** Refuses what would not make a well-formed message. */
export function invitationOf(options: CallOptions): Invitation {
  const { target, transport, user, parameters = {}, headers = {}, from = DEFAULT_FROM } = options
  const uriParameters = { ...(transport === 'tcp' ? { transport } : {}), ...parameters }
  const suffix = Object.entries(uriParameters).map(([name, value]) => {
    if (!isToken(name)) throw new TypeError(`"${name}" cannot be the name of a URI parameter`)
    return `;${name}=${escapeParameter(value)}`
  })
  const address = `sip:${escapeUser(user)}@${options.host ?? hostPort(target)}`
  return {
    uri: address + suffix.join(''),
    to: address,
    from: `sip:${escapeUser(from)}@${hostPort(target)}`,
    contactUser: escapeUser(from),
    headers: Object.entries(headers).map(checked),
    lateOffer: options.lateOffer ?? false,
  }
}

function checked([name, value]: [string, string]): Header {
  if (!isToken(name)) throw new TypeError(`"${name}" cannot be the name of a header`)
  for (const char of value) {
    if (char < ' ' || char === '\x7f') throw new TypeError(`the header ${name} holds a control character`)
  }
  return [name, value]
}
