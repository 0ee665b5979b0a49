import { limits } from '../limits.ts'

/** Where the agent is dialled, and what the call carries there: by name, what matters most first. */
export interface SipWay {
  readonly user: string
  readonly host: string
  readonly port: number
  readonly carried: readonly (readonly [name: string, value: string])[]
}

export interface SipAddress {
  readonly uri: string
  /** What has no room in it, by name. */
  readonly leftOut: readonly string[]
}

/**
 * Both as parameters of the address and as headers behind it, for which of them arrives is not documented. Twilio takes
 * fewer than 255 characters of an address and fewer than 1,024 of headers: what comes last has no room first.
 */
export function sipAddress({ user, host, port, carried }: SipWay): SipAddress {
  const { sipUriChars, sipHeaderChars } = limits.twilio
  let address = `sip:${user}@${host}:${port};transport=tcp`
  let headers = ''
  const leftOut: string[] = []
  for (const [name, value] of carried) {
    const written = `${name}=${inFiveKinds(value)}`
    const parameter = `;${written}`
    const header = `${headers === '' ? '?' : '&'}X-${written}`
    const hasParameter = address.length + parameter.length <= sipUriChars
    const hasHeader = headers.length + header.length <= sipHeaderChars
    if (hasParameter) address += parameter
    if (hasHeader) headers += header
    if (!hasParameter && !hasHeader) leftOut.push(name)
  }
  return { uri: `${address}${headers}`, leftOut }
}

/** Letters, digits, `-`, `.` and `_`, and of all else its bytes: nothing that begins a parameter, a header or a tag. */
function inFiveKinds(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*~]/g,
    sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
