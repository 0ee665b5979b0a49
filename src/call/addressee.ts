import type { Business } from '../business.ts'
import type { CallFacts } from './ports.ts'

/** Those that a call may be for. */
export interface Businesses {
  /** Of every call that is for nobody else. */
  readonly standard: Business
  find(id: string): Business | undefined
  /** Whom this number reaches, in international form. */
  withNumber(number: string): Business | undefined
}

export interface Addressee {
  readonly business: Business
  /** What the call asked for and does not get, in words for its record. */
  readonly doubt?: string
}

type Asked = Pick<CallFacts, 'calledUser' | 'parameters' | 'headers'>

/** Where the number may stand that the caller has dialled, before it became an address of ours. */
const numberParameters = ['callednumber', 'called', 'to']
const numberHeaders = ['x-called-number', 'x-callednumber', 'x-called', 'x-to']

/** For which business a call is: the one that it names, else the one whose number was called, else the standard one. */
export function addresseeOf({ calledUser, parameters, headers }: Asked, businesses: Businesses): Addressee {
  const named = lowerCased(parameters)
  const id = named['business'] ?? headers['x-business']
  if (id !== undefined) {
    const business = businesses.find(id)
    if (business) return { business }
    const doubt = 'The call names a business that is not known here: the standard one has it.'
    return { business: businesses.standard, doubt }
  }
  const numbers = [...valuesOf(named, numberParameters), ...valuesOf(headers, numberHeaders), calledUser]
  for (const text of numbers) {
    const number = internationalNumber(text)
    const business = number === undefined ? undefined : businesses.withNumber(number)
    if (business) return { business }
  }
  return { business: businesses.standard }
}

/** Of `+15550100200`, `+1 (555) 010-0200`, `tel:+15550100200`, `<sip:+15550100200@192.0.2.1>` the same; else nothing. */
function internationalNumber(text: string): string | undefined {
  const [, written = ''] = /^\s*<?(?:sips?:|tel:)?(\+[0-9 ().-]+)\s*(?:$|[@;>])/i.exec(text) ?? []
  const number = written.replace(/[ ().-]/g, '')
  return /^\+[1-9][0-9]{6,14}$/.test(number) ? number : undefined
}

/** Names of parameters mean the same in any case (RFC 3261, 7.3.1); the first of several counts. */
function lowerCased(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(parameters)
      .reverse()
      .map(([name, value]) => [name.toLowerCase(), value]),
  )
}

function valuesOf(all: Readonly<Record<string, string>>, names: readonly string[]): string[] {
  return names.flatMap(name => all[name] ?? [])
}
