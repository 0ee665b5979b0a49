import type { Config } from '../../config.ts'
import { type Asked, ask, basic } from './ask.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning, error } = findingsOf('twilio')

interface Twilio {
  /** Of the keys' shapes, in words; none of them repeats a key. */
  readonly problems: readonly string[]
  readonly set: boolean
  readonly by: 'auth token' | 'API key'
  readonly baseUrl: string
  readonly phoneNumber: string | undefined
  readonly account: Asked | undefined
  readonly numbers: Asked | undefined
  readonly webhooks: Webhooks
}

/** What stands between Twilio's webhooks and their answers. */
interface Webhooks {
  readonly signed: boolean
  readonly hasToken: boolean
  readonly publicBaseUrl: string | undefined
  readonly sipDomain: string | undefined
}

type Keys = Config['twilio']

/**
 * Only the auth token may read the account: an API key of the standard kind is refused there, and is tried on the numbers.
 */
export async function lookAtTwilio({ config }: Scene): Promise<Twilio> {
  const keys = config.twilio
  const { accountSid, authToken, apiKey, apiSecret, baseUrl, phoneNumber } = keys
  const problems = shapeProblems(keys)
  const set = [accountSid, authToken, apiKey, apiSecret].some(each => each !== undefined)
  const usable = set && problems.length === 0 && accountSid !== undefined
  const [user, secret] = apiKey && apiSecret ? [apiKey, apiSecret] : [accountSid, authToken]
  const headers = usable && user && secret ? basic(user, secret.reveal()) : undefined
  const byKey = user === apiKey && apiKey !== undefined
  const byToken = usable && authToken ? basic(accountSid, authToken.reveal()) : undefined
  const base = `${baseUrl}/2010-04-01/Accounts/${accountSid}`
  const query = phoneNumber === undefined ? '' : `&PhoneNumber=${encodeURIComponent(phoneNumber)}`
  const wantsNumbers = byKey || phoneNumber !== undefined
  return {
    problems,
    set,
    webhooks: {
      ...{ signed: keys.webhooks === 'signed', hasToken: authToken !== undefined },
      ...{ publicBaseUrl: keys.publicBaseUrl, sipDomain: keys.sipDomain },
    },
    by: byKey ? 'API key' : 'auth token',
    baseUrl,
    phoneNumber,
    // Asked beside a key, too: webhooks are known by the token alone.
    account: byToken && (await ask(`${base}.json`, byToken)),
    numbers:
      headers && wantsNumbers ? await ask(`${base}/IncomingPhoneNumbers.json?PageSize=1${query}`, headers) : undefined,
  }
}

export function judgeTwilio(seen: Twilio): Finding[] {
  // Keys that are wrong come first.
  return seen.problems.length > 0 ? judgeKeys(seen) : [...judgeKeys(seen), ...judgeWebhooks(seen.webhooks)]
}

/** Nothing to say where no webhook is wanted. */
function judgeWebhooks({ signed, hasToken, publicBaseUrl, sipDomain }: Webhooks): Finding[] {
  const findings: Finding[] = []
  if (!signed) {
    findings.push(
      warning(
        'Webhooks are believed whoever sends them (TWILIO_WEBHOOKS=unsigned).',
        'Leave that out everywhere but on a machine for development.',
      ),
    )
  }
  if (signed && publicBaseUrl !== undefined && !hasToken) {
    findings.push(
      error(
        "Twilio's webhooks are answered with 503: TWILIO_AUTH_TOKEN is missing, by which Twilio is known.",
        "Set it to what Twilio's console shows; an API key cannot take its place here.",
      ),
    )
  }
  if (signed && hasToken && publicBaseUrl === undefined) {
    findings.push(
      hint(
        "Twilio's webhooks are answered with 503: PUBLIC_BASE_URL is missing.",
        'Set it to the address at which Twilio reaches this Parley, such as https://parley.example.com.',
      ),
    )
  }
  if (publicBaseUrl !== undefined && sipDomain === undefined) {
    findings.push(
      error(
        'Callers who come by a webhook are not led to the agent: SIP_DOMAIN is missing.',
        'Set it to the name or the address at which Twilio reaches this Asterisk.',
      ),
    )
  }
  return findings
}

function judgeKeys(seen: Twilio): Finding[] {
  const { problems, set, account, numbers, by, baseUrl } = seen
  if (!set) return [hint('No keys of Twilio are set.', 'Calls need none; what uses its API does.')]
  const copied = "Copy it again from Twilio's console."
  if (problems.length > 0) return problems.map(problem => error(problem, copied))
  const findings: Finding[] = []
  if (account) {
    const refusal = refusalOf(account, 'auth token', baseUrl)
    findings.push(...(refusal ? [refusal] : judgeAccount(account)))
  }
  if (by === 'API key' && numbers) findings.push(refusalOf(numbers, by, baseUrl) ?? ok('Twilio accepts the API key.'))
  return [...findings, ...judgeNumber(seen)]
}

function shapeProblems({ accountSid, authToken, apiKey, apiSecret }: Keys): string[] {
  const token = authToken?.reveal()
  const is = (begin: string, text: string) => new RegExp(`^${begin}[0-9a-fA-F]{32}$`).test(text)
  const problems: string[] = []
  if (accountSid === undefined) {
    if (token ?? apiKey ?? apiSecret) problems.push('TWILIO_ACCOUNT_SID is missing beside the other keys.')
  } else if (!is('AC', accountSid)) {
    const main = is('SK', accountSid) ? ': it is an API key, which belongs in TWILIO_API_KEY' : ''
    problems.push(`TWILIO_ACCOUNT_SID is not AC and 32 hexadecimal digits${main}.`)
  } else if (token === undefined && apiKey === undefined) {
    problems.push('TWILIO_ACCOUNT_SID has neither TWILIO_AUTH_TOKEN nor TWILIO_API_KEY beside it.')
  }
  if (token !== undefined && !is('', token)) problems.push('TWILIO_AUTH_TOKEN is not 32 hexadecimal digits.')
  if (apiKey !== undefined && !is('SK', apiKey)) problems.push('TWILIO_API_KEY is not SK and 32 hexadecimal digits.')
  if ((apiKey === undefined) !== (apiSecret === undefined)) {
    const [present, absent] = apiKey ? ['TWILIO_API_KEY', 'TWILIO_API_SECRET'] : ['TWILIO_API_SECRET', 'TWILIO_API_KEY']
    problems.push(`${present} is set without ${absent}.`)
  }
  return problems
}

function refusalOf(asked: Asked, by: Twilio['by'], baseUrl: string): Finding | undefined {
  if ('unreachable' in asked) {
    return warning(
      `Twilio's API at ${baseUrl} could not be reached (${asked.unreachable}), so the ${by} was not tried.`,
      'Let this machine out to it. Calls come in without it.',
    )
  }
  const { status } = asked
  const code = errorCode(asked.body)
  if (status === 401 || status === 403) {
    const told = code === undefined ? String(status) : `${status}, error ${code}`
    const which = by === 'API key' ? 'TWILIO_API_KEY and TWILIO_API_SECRET' : 'TWILIO_AUTH_TOKEN'
    return error(
      `Twilio refuses the ${by} (${told}).`,
      `Set TWILIO_ACCOUNT_SID and ${which} to what its console shows; a restricted key must be allowed to read numbers.`,
    )
  }
  if (status === 404) return error('Twilio knows no such account (404).', 'Check TWILIO_ACCOUNT_SID.')
  if (status === 429) return warning('Twilio takes no more requests for now (429).', 'Try again later.')
  if (status !== 200) return warning(`Twilio's API answers ${status}.`, 'Try again later, or check TWILIO_BASE_URL.')
  return undefined
}

function judgeAccount(asked: Asked): Finding[] {
  const status = 'body' in asked ? (asked.body as { status?: unknown } | undefined)?.status : undefined
  if (status === 'active') return [ok('Twilio accepts the auth token; the account is active.')]
  if (status === 'suspended' || status === 'closed') {
    return [error(`The account at Twilio is ${status}: no call comes in.`, "See Twilio's console for the reason.")]
  }
  return [warning("What answers is not Twilio's API.", 'Check TWILIO_BASE_URL.')]
}

function judgeNumber({ phoneNumber, numbers }: Twilio): Finding[] {
  if (phoneNumber === undefined || !numbers || !('body' in numbers) || numbers.status !== 200) return []
  const list = (numbers.body as { incoming_phone_numbers?: unknown } | undefined)?.incoming_phone_numbers
  const found = Array.isArray(list) && list.some(each => each?.phone_number === phoneNumber)
  if (found) return [ok('TWILIO_PHONE_NUMBER is a number of this account.')]
  return [error('TWILIO_PHONE_NUMBER is no number of this account.', 'Set it to one that the account owns.')]
}

function errorCode(body: unknown): number | undefined {
  const code = (body as { code?: unknown } | undefined)?.code
  return typeof code === 'number' ? code : undefined
}
