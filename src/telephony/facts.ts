import type { CallFacts } from '../call/ports.ts'
import { limits } from '../limits.ts'
import type { Law } from '../media/audio.ts'

/** What the dialplan tells of a caller; the codec is Asterisk's own. */
export const callerVariables = [
  'PARLEY_URI',
  'PARLEY_HEADERS',
  'PARLEY_FROM',
  'PARLEY_USER',
  'CHANNEL(audionativeformat)',
] as const

type CallerVariables = Readonly<Record<(typeof callerVariables)[number], string>>

/** Nothing when the channel speaks neither law. */
export function readFacts(variables: CallerVariables): CallFacts | undefined {
  const law = readLaw(variables['CHANNEL(audionativeformat)'])
  if (!law) return undefined
  const requestUri = decode(variables.PARLEY_URI)
  const headers = bounded(variables.PARLEY_HEADERS.split('&'))
  return {
    calledUser: variables.PARLEY_USER,
    requestUri,
    parameters: parametersOf(requestUri, headers),
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    callerNumber: variables.PARLEY_FROM,
    law,
  }
}

/** Twilio does not say whether it keeps parameters of an address that it dials: they come as headers, too. */
function parametersOf(requestUri: string, headers: readonly [string, string][]): Record<string, string> {
  const parameters = Object.fromEntries(bounded(uriParameters(requestUri)))
  if ('callSid' in parameters || !headers.some(([name]) => name.toLowerCase() === 'x-callsid')) return parameters
  const carried = headers.filter(([name]) => /^x-/i.test(name) && !/^x-twilio-/i.test(name))
  return { ...Object.fromEntries(carried.map(([name, value]) => [name.slice(2), value])), ...parameters }
}

/** Of a list such as `(ulaw|alaw)`, the first is the one that is spoken. */
function readLaw(formats: string): Law | undefined {
  return formats.split(/[^a-z0-9]+/).find(name => name === 'ulaw' || name === 'alaw')
}

/** Of the URI itself; not those of its user part, and not its headers (RFC 3261, 19.1.1). */
function uriParameters(uri: string): string[] {
  const [address = ''] = uri.slice(uri.indexOf('@') + 1).split('?')
  return address.split(';').slice(1)
}

/** The pairs `name=value`, decoded. What is too long, or too many, is left out. */
function bounded(pairs: readonly string[]): [string, string][] {
  const { parameterCount, parameterBytes } = limits.call
  const kept: [string, string][] = []
  for (const pair of pairs) {
    const [encodedName = '', ...rest] = pair.split('=')
    const name = decode(encodedName)
    const value = decode(rest.join('='))
    if (name === '' || Buffer.byteLength(name + value) > parameterBytes) continue
    if (kept.push([name, value]) === parameterCount) break
  }
  return kept
}

/** As it stands where it is not validly encoded; without control characters, which have no place in a log or a record. */
function decode(text: string): string {
  return percentDecoded(text).replace(/\p{Cc}/gu, '')
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
