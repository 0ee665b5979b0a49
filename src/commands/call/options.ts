import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import { isToken } from '../../caller/message.ts'
import { asError } from '../../errors.ts'
import { limits } from '../../limits.ts'

export const usage = `Calls Parley as a telephone network would, speaks, listens, and tells how it went.

  npm run call -- [options] ["a sentence" | sound.wav] ...

Each sentence is spoken, and each WAV file played, when the agent has finished. Without any the agent's greeting is heard.

  --interrupt            speaks into the agent's answers: every sentence but the first; a sentence alone is said twice
  --dtmf 123#            presses these keys once the agent has greeted
  --hangup-after 20s     hangs up so long after the answer, whatever is being said (ms, s or m)
  --calls 20             so many calls at once, and a table of what they came to
  --to sip:bianca@192.0.2.10:5061;transport=tcp
                         whom to call; by default Parley on this machine, by the settings that npm start uses.
                         Without a transport TCP, without a port 5061 for TCP and 5060 for UDP
  --from +15550100199    the number that calls, or a name such as bob.smith
  --param callSid=CA12   a parameter of the SIP address; may be given several times
  --header X-Foo=bar     an X- header of the call; may be given several times
  --out call.wav         where to write the call: on the left the caller, on the right the agent. Of several calls none
                         is written unless this is given
  --json                 one JSON document at the end instead of the transcript

Whose each sound is, the agent's or that of the fallback, is asked of the running gateway; where it cannot be asked that is said.

Exit status: 0 when every call was answered, the agent was heard in it, and neither it nor the gateway failed; else 1.`

/** What the caller is asked to say or do. */
export type Asked =
  | { readonly kind: 'sentence'; readonly words: string; readonly interrupting: boolean }
  | { readonly kind: 'file'; readonly path: string; readonly interrupting: boolean }
  | { readonly kind: 'keys'; readonly digits: string }

export interface Callee {
  readonly user: string
  readonly host: string
  readonly port: number
  readonly transport: 'tcp' | 'udp'
}

export interface Options {
  readonly asked: readonly Asked[]
  readonly hangupAfterMs: number | undefined
  readonly calls: number
  readonly to: Callee | undefined
  readonly from: string | undefined
  readonly parameters: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly out: string | undefined
  readonly json: boolean
}

const text = { type: 'string' } as const
const texts = { type: 'string', multiple: true, default: [] as string[] } as const
const flag = { type: 'boolean', default: false } as const
const known = {
  interrupt: flag,
  dtmf: text,
  'hangup-after': text,
  calls: text,
  to: text,
  from: text,
  param: texts,
  header: texts,
  out: text,
  json: flag,
  help: flag,
} as const

/** Every problem is reported at once, in words that say what to write instead. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parsed(args)
  if (values.help) return 'help'
  const problems: string[] = []
  const kept = <T>(value: T | Problem): T | undefined => {
    if (!(value instanceof Problem)) return value
    problems.push(value.words)
    return undefined
  }
  const read = <T>(given: string | undefined, reader: (given: string) => T | Problem): T | undefined =>
    given === undefined ? undefined : kept(reader(given))
  const to = read(values.to, readAddress)
  const digits = read(values.dtmf, readDigits)
  const asked = kept(readAsked(positionals, values.interrupt)) ?? []
  const options: Options = {
    asked: digits === undefined ? asked : [{ kind: 'keys', digits }, ...asked],
    hangupAfterMs: read(values['hangup-after'], readDuration),
    calls: read(values.calls, readCount) ?? 1,
    to: to?.callee,
    from: read(values.from, readNumber),
    parameters: { ...to?.parameters, ...kept(readPairs('--param', values.param, isParameter)) },
    headers: kept(readPairs('--header', values.header, isExtension)) ?? {},
    out: read(values.out, readPath),
    json: values.json,
  }
  if (problems.length > 0) throw new Error(`${problems.join('\n')}\nnpm run call -- --help tells more.`)
  return options
}

class Problem {
  readonly words: string

  constructor(words: string) {
    this.words = words
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: known, allowPositionals: true })
  } catch (error) {
    throw new Error(`${whyUnparsed(asError(error))}\nnpm run call -- --help tells more.`)
  }
}

/** Node's own words go on with advice for programmers. */
function whyUnparsed({ message }: Error): string {
  const [, ambiguous] = /^Option '(?:-\w, )?(--[\w-]+)(?: <value>)?' argument is ambiguous/.exec(message) ?? []
  if (ambiguous !== undefined) return `${ambiguous} needs a value behind it, and what stands there begins with a dash.`
  const [words = ''] = message.split(/\. |\n/)
  return `${words.replace(/\.+$/, '')}.`
}

function readAsked(positionals: readonly string[], interrupt: boolean): Asked[] | Problem {
  const { turns, sentenceChars } = limits.caller
  if (positionals.length > turns) return new Problem(`At most ${turns} sentences can be said in one call.`)
  if (interrupt && positionals.length === 0) return new Problem('--interrupt needs a sentence to interrupt with.')
  const said = interrupt && positionals.length === 1 ? [...positionals, ...positionals] : positionals
  const asked: Asked[] = []
  for (const [index, each] of said.entries()) {
    const words = each.trim()
    if (words === '') return new Problem('A sentence is empty: leave it out, or say something.')
    if (words.length > sentenceChars) return new Problem(`A sentence may have up to ${sentenceChars} letters.`)
    const interrupting = interrupt && index > 0
    const isFile = /\.wav$/i.test(words)
    asked.push(isFile ? { kind: 'file', path: words, interrupting } : { kind: 'sentence', words, interrupting })
  }
  return asked
}

function readDigits(given: string): string | Problem {
  if (/^[0-9*#A-D]+$/i.test(given) && given.length <= limits.caller.digits) return given.toUpperCase()
  return new Problem(
    `--dtmf takes up to ${limits.caller.digits} keys of 0-9, *, # and A-D, such as 123#; "${given}" is none.`,
  )
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

function readDuration(given: string): number | Problem {
  const [matched, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(given) ?? []
  const ms = Number(number) * (unitsMs[unit] ?? Number.NaN)
  const mostMs = limits.caller.callMs
  if (matched && ms > 0 && ms <= mostMs) return ms
  return new Problem(
    `--hangup-after takes a time up to ${mostMs / 60_000} minutes, such as 20s or 1500ms; "${given}" is none.`,
  )
}

function readCount(given: string): number | Problem {
  const most = limits.caller.callsAtOnce
  if (/^\d{1,4}$/.test(given) && Number(given) >= 1 && Number(given) <= most) return Number(given)
  return new Problem(`--calls takes a number from 1 to ${most}; "${given}" is none.`)
}

function readNumber(given: string): string | Problem {
  if (/^\+?[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(given)) return given
  return new Problem(
    `--from takes a number such as +15550100199, or a name of letters, digits, dots, dashes and underscores such as bob.smith; "${given}" is none.`,
  )
}

function readPath(given: string): string | Problem {
  return /\.wav$/i.test(given)
    ? given
    : new Problem(`--out takes the name of a WAV file, such as call.wav; it is "${given}".`)
}

function isParameter(name: string): boolean {
  return isToken(name) && name.toLowerCase() !== 'transport'
}

/** Any other header is the call's own. */
function isExtension(name: string): boolean {
  return isToken(name) && /^x-./i.test(name)
}

function readPairs(
  option: '--param' | '--header',
  given: readonly string[],
  isName: (name: string) => boolean,
): Record<string, string> | Problem {
  const example = option === '--param' ? 'callSid=CA12' : 'X-Foo=bar'
  const pairs = new Map<string, string>()
  for (const each of given) {
    const [name = '', ...rest] = each.split('=')
    const value = rest.join('=')
    if (rest.length === 0 || !isName(name) || /\p{Cc}/u.test(value)) {
      const transport = name.toLowerCase() === 'transport' ? ' The transport is said with --to.' : ''
      return new Problem(`${option} takes a name and a value such as ${example}; "${each}" is none.${transport}`)
    }
    if (pairs.has(name)) return new Problem(`${option} gives ${name} twice.`)
    pairs.set(name, value)
  }
  return Object.fromEntries(pairs)
}

const addressForm =
  /^sip:([A-Za-z0-9+_.~*-]{1,64})@(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?((?:;[^;]+)*)$/i

function readAddress(given: string): { callee: Callee; parameters: Record<string, string> } | Problem {
  const wrong = (why: string) =>
    new Problem(`--to takes an address such as sip:bianca@192.0.2.10:5061;transport=tcp; "${given}" ${why}.`)
  const [matched, user = '', hostText = '', portText, rest = ''] = addressForm.exec(given.trim()) ?? []
  if (!matched) return wrong(/^sips:/i.test(given) ? 'asks for TLS, which this caller does not speak' : 'is none')
  const parameters: Record<string, string> = {}
  let transport = 'tcp'
  for (const each of rest.split(';').filter(Boolean)) {
    const [name = '', ...value] = each.split('=')
    if (name.toLowerCase() === 'transport') transport = value.join('=').toLowerCase()
    else if (isToken(name)) parameters[name] = value.join('=')
    else return wrong(`has a parameter that is none ("${each}")`)
  }
  if (transport !== 'tcp' && transport !== 'udp') return wrong('has a transport other than tcp and udp')
  const port = Number(portText ?? (transport === 'tcp' ? 5_061 : 5_060))
  if (port < 1 || port > 65_535) return wrong('has a port that is none')
  const host = hostText.replace(/^\[|\]$/g, '')
  if (hostText.startsWith('[') && isIP(host) !== 6) return wrong('has an IPv6 address that is none')
  return { callee: { user, host, port, transport }, parameters }
}
