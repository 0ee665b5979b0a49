import { isIP } from 'node:net'
import type { Business } from '../../business.ts'
import { askOptions } from '../../caller/ask.ts'
import { systemClock } from '../../clock.ts'
import type { Loaded } from '../../config.ts'
import { knownBusinesses, outletsOf } from '../../destinations.ts'
import { readEnvFile } from '../../environment.ts'
import { asError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Outlet } from '../../telephony/asterisk/destination.ts'
import { type ResolvedOutlet, resolveDestinations } from '../../telephony/asterisk/resolve.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning, error } = findingsOf('destinations')

interface SeenOutlet extends ResolvedOutlet {
  /** The status of its answer to OPTIONS, or why there is none; undefined where it was not asked. */
  readonly answer: number | string | undefined
}

/** Of all businesses that are known here, and the fallback. */
export async function lookAtDestinations(scene: Scene): Promise<SeenOutlet[]> {
  const { config, environment } = loadedOf(scene)
  const destinations = outletsOf(businessesOf(scene), config, environment)
  const { fallbackDestination } = config
  const resolved = await resolveDestinations({ destinations, fallbackDestination }, () => {})
  return Promise.all([...resolved.values()].map(async each => ({ ...each, answer: await ask(each, each.addresses) })))
}

export function loadedOf({ directory, environment, config }: Scene): Loaded {
  return { config, environment: { ...readEnvFile(directory).values, ...environment } }
}

/** What is wrong with a business is told by the look at the settings. */
export function businessesOf(scene: Scene): Business[] {
  try {
    return knownBusinesses(loadedOf(scene), () => {})
  } catch {
    return []
  }
}

async function ask({ transport, port }: Outlet, [address]: readonly string[]): Promise<number | string | undefined> {
  if (address === undefined || transport === 'tls') return undefined
  const options = { target: { address, port }, transport, withinMs: limits.doctor.answerMs }
  return askOptions({ clock: systemClock, random: Math.random }, options).catch(thrown => asError(thrown).message)
}

export function judgeDestinations(seen: readonly SeenOutlet[]): Finding[] {
  return seen.map(judgeOutlet)
}

function judgeOutlet({ host, port, transport, addresses, answer }: SeenOutlet): Finding {
  const what = `The destinations at ${host}:${port} (${transport})`
  if (addresses.length === 0) {
    return error(
      `${what} have no address: nobody knows the name ${host}.`,
      'Correct the name, or the name server of this machine.',
    )
  }
  const at = isIP(host) ? '' : ` at ${addresses.join(', ')}`
  if (answer === undefined) return hint(`${what} are reached by TLS${at}; that is not tried here.`, 'Call one of them.')
  if (typeof answer === 'number') return ok(`${what} answer${at}.`)
  return warning(
    `${what} do not answer${at}: ${answer}.`,
    "Let that PBX's firewall take SIP from this machine; one that answers calls from its own trunks alone may be right all the same.",
  )
}
