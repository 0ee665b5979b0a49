import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { AriSettings } from '../ari-client.ts'

/** What reads the access list, endpoints and their logins anew, and what reads whose address is whose. */
const modules = ['res_pjsip.so', 'res_pjsip_endpoint_identifier_ip.so']

/**
 * Has a running Asterisk read the destinations that stand in its configuration, and looks whether it has them. Calls go on.
 * Rejects in words.
 */
export async function reloadDestinations(ari: Omit<AriSettings, 'app'>, names: readonly string[]): Promise<void> {
  for (const module of modules) {
    const { status } = await ask(ari, 'PUT', `asterisk/modules/${module}`)
    if (status >= 300) throw failed(`it answers ${status} to the reload of ${module}`)
  }
  const { status, body } = await ask(ari, 'GET', 'endpoints/PJSIP')
  if (status !== 200 || !Array.isArray(body)) throw failed(`it answers ${status} when asked for them`)
  const known = new Set(body.map(endpoint => String(endpoint?.resource)))
  const missing = names.filter(name => !known.has(name))
  if (missing.length > 0) throw failed(`it has not taken ${missing.length} of ${names.length}`)
}

/** The endpoints that are in a call just now. */
export async function endpointsInUse(ari: Omit<AriSettings, 'app'>): Promise<ReadonlySet<string>> {
  const { status, body } = await ask(ari, 'GET', 'channels')
  if (status !== 200 || !Array.isArray(body)) throw failed(`it answers ${status} when asked for its channels`)
  return new Set(body.flatMap(channel => /^PJSIP\/(.*)-[0-9a-f]+$/.exec(String(channel?.name))?.[1] ?? []))
}

async function ask({ url, username, password }: Omit<AriSettings, 'app'>, method: string, path: string) {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  try {
    const reply = await fetch(`${url}/ari/${path}`, {
      method,
      headers: { authorization, connection: 'close' },
      signal: AbortSignal.timeout(limits.ari.requestMs),
    })
    const text = await reply.text()
    return { status: reply.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
  } catch {
    throw failed('it does not answer')
  }
}

function failed(why: string): GatewayError {
  return new GatewayError('ASTERISK_FAILED', `Asterisk did not read the changed destinations: ${why}.`, {
    retryable: true,
  })
}
