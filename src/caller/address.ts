import { isIPv6 } from 'node:net'

export interface Address {
  readonly address: string
  readonly port: number
}

/** What From, To, Contact, Route and Record-Route hold (RFC 3261 section 20.10). */
export interface NameAddress {
  readonly uri: string
  /** Of the header, not of the URI; names in lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

export function parseNameAddress(value: string): NameAddress | undefined {
  const unquoted = value.replace(/^\s*"(?:[^"\\]|\\.)*"/, '')
  const open = unquoted.indexOf('<')
  const close = unquoted.indexOf('>', open)
  if (open !== -1) {
    if (close === -1) return undefined
    return nameAddress(unquoted.slice(open + 1, close), unquoted.slice(close + 1))
  }
  // Without angle brackets all parameters are the header's.
  const semicolon = unquoted.indexOf(';')
  return semicolon === -1
    ? nameAddress(unquoted, '')
    : nameAddress(unquoted.slice(0, semicolon), unquoted.slice(semicolon))
}

function nameAddress(uri: string, parameters: string): NameAddress | undefined {
  const trimmed = uri.trim()
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(trimmed)) return undefined
  return { uri: trimmed, parameters: parseParameters(parameters) }
}

function parseParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>()
  for (const part of text.split(';').slice(1)) {
    const [name, ...value] = part.split('=')
    if (name?.trim()) parameters.set(name.trim().toLowerCase(), value.join('=').trim())
  }
  return parameters
}

export function tagOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : parseNameAddress(value)?.parameters.get('tag')
}

/** Percent-encodes what may not stand in a URI parameter (RFC 3261 section 25.1, paramchar). */
export function escapeParameter(text: string): string {
  return encodeURIComponent(text).replace(/%(5B|5D|2F|3A|26|2B|24)/g, decodeURIComponent)
}

/** Percent-encodes what may not stand in the user part. */
export function escapeUser(text: string): string {
  return encodeURIComponent(text).replace(/%(26|3D|2B|24|2C|3B|3F|2F)/g, decodeURIComponent)
}

export function hostPort({ address, port }: Address): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
}
