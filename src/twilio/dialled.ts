import { type Element, elementsOf, readXml, textOf } from './xml.ts'

/** Whom TwiML has Twilio dial by SIP, and how. */
export interface Dialled {
  readonly user: string
  readonly host: string
  readonly port: number
  readonly transport: 'tcp' | 'udp'
  readonly parameters: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** Whom the one that is dialled sees calling. */
  readonly callerId: string | undefined
}

/** Nothing where it has nobody dialled by SIP; throws where it is no TwiML. */
export function dialledBy(twiml: string): Dialled | undefined {
  const response = readXml(twiml)
  if (response.name !== 'Response') throw new Error(`it is a ${response.name}, and no Response`)
  const dial = elementsOf(response).find(({ name }) => name === 'Dial')
  const sip = dial && elementsOf(dial).find(({ name }) => name === 'Sip')
  return dial && sip && { ...partsOf(textOf(sip).trim()), callerId: dial.attributes['callerId'] }
}

/** What it does instead, by its verbs. */
export function verbsOf(twiml: string): string {
  const verbs = elementsOf(readXml(twiml)).map(({ name, attributes }: Element) => [name, ...Object.values(attributes)])
  return verbs.map(([name, first]) => (name === 'Reject' ? `${name} ${first ?? ''}`.trim() : name)).join(', ')
}

/** RFC 3261 section 19.1.1, as far as Twilio takes it. */
function partsOf(text: string): Omit<Dialled, 'callerId'> {
  const [address = '', headers = ''] = text.split('?')
  const [first = '', ...parameters] = address.split(';')
  const [matched, user = '', host = '', port] = /^sip:([^@\s]+)@([A-Za-z0-9.-]+)(?::(\d{1,5}))?$/.exec(first) ?? []
  if (!matched) throw new Error('its SIP address is none')
  const { transport = 'udp', ...others } = pairsOf(parameters)
  if (transport !== 'udp' && transport !== 'tcp') throw new Error(`its SIP address has the transport ${transport}`)
  return {
    ...{ user: decodeURIComponent(user), host, port: Number(port ?? 5060), transport },
    ...{ parameters: others, headers: pairsOf(headers === '' ? [] : headers.split('&')) },
  }
}

function pairsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map(pair => {
      const [name = '', ...value] = pair.split('=')
      return [name, decodeURIComponent(value.join('='))]
    }),
  )
}
