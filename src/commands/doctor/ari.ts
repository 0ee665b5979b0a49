import { isIP } from 'node:net'
import { ariPasswordSecret, storedSecret } from '../../secret.ts'
import { requiredModules } from '../../telephony/asterisk/modules.ts'
import { isRecentEnough, minimumVersion, versionIn } from '../../telephony/asterisk/version.ts'
import { type Asked, ask, basic } from './ask.ts'
import { type Finding, findingsOf } from './finding.ts'
import { kindOf } from './network-addresses.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning, error } = findingsOf('ari')

interface Ari {
  readonly url: string
  readonly external: boolean
  /** Ours should be there: a gateway or an Asterisk of ours runs. */
  readonly expected: boolean
  /** Undefined as long as no password has been made. */
  readonly info: Asked | undefined
  readonly modules: Asked | undefined
}

export async function lookAtAri({ config, ours }: Scene): Promise<Ari> {
  const { ari, asterisk, stateDir } = config
  const external = asterisk === 'external'
  const url = ari.url ?? `http://127.0.0.1:${ari.port}`
  const password = ari.password?.reveal() ?? (await storedSecret(stateDir, ariPasswordSecret))
  const headers = password === undefined ? undefined : basic(ari.username, password)
  const question = (path: string) => (headers ? ask(`${url}/ari/asterisk/${path}`, headers) : undefined)
  const info = await question('info?only=system')
  return {
    url,
    external,
    expected: external || ours.gateway !== undefined || ours.asteriskPid !== undefined,
    info,
    modules: info && 'status' in info && info.status === 200 ? await question('modules') : undefined,
  }
}

export function judgeAri({ url, external, expected, info, modules }: Ari): Finding[] {
  const open = inTheOpen(url)
  if (info === undefined) return [hint('There is no ARI password yet.', 'The first npm start makes one.')]
  if ('unreachable' in info) {
    if (!expected) return [hint('ARI does not answer: Asterisk is not running.', 'npm start starts it.')]
    const remedy = external
      ? 'Start that Asterisk with http.conf and ari.conf enabled, and check ARI_URL and the firewall between.'
      : 'See STATE_DIR/pbx/log/messages.log; npm start restarts it.'
    return [error(`ARI at ${url} does not answer: ${info.unreachable}.`, remedy)]
  }
  if (info.status === 401) {
    const remedy = external
      ? 'Set ARI_USERNAME and ARI_PASSWORD to a user of its ari.conf.'
      : 'Another Asterisk holds ARI_PORT, or ARI_PASSWORD was changed: end it, and run npm start.'
    return [error(`ARI at ${url} refuses the password (401).`, remedy)]
  }
  if (info.status !== 200) {
    const remedy = 'Check ARI_URL: another program may listen there, or ari.conf is not enabled.'
    return [error(`What answers at ${url} is no ARI (status ${info.status}).`, remedy)]
  }
  return [ok(`ARI at ${url} accepts the password.`), ...open, ...judgeVersion(info.body), ...judgeModules(modules)]
}

function judgeVersion(body: unknown): Finding[] {
  const system = (body as { system?: { version?: unknown } } | undefined)?.system
  const version = versionIn(`Asterisk ${String(system?.version ?? '')}`)
  if (version === undefined) {
    return [
      hint('The running Asterisk does not tell a version that can be compared.', `Use ${minimumVersion} or newer.`),
    ]
  }
  if (isRecentEnough(version)) return [ok(`The running Asterisk is ${version}.`)]
  return [error(`The running Asterisk is ${version}; at least ${minimumVersion} is needed.`, 'Update it.')]
}

function judgeModules(modules: Asked | undefined): Finding[] {
  if (!modules || !('status' in modules) || !Array.isArray(modules.body)) return []
  const running = new Set(
    (modules.body as { name?: unknown; status?: unknown }[])
      .filter(({ status }) => status === 'Running')
      .map(({ name }) => name),
  )
  const missing = requiredModules().filter(name => !running.has(name))
  if (missing.length === 0) return [ok('It runs every module that calls need.')]
  return [
    warning(
      `It does not run ${missing.join(', ')}.`,
      'Load them in its modules.conf; asterisk/modules.conf says what each is for.',
    ),
  ]
}

/** The password goes with every request, and the callers' numbers come back. */
function inTheOpen(url: string): Finding[] {
  const { protocol, hostname } = new URL(url)
  const near =
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && kindOf(hostname) !== 'public')
  if (protocol === 'https:' || near) return []
  return [warning(`ARI at ${url} is spoken without TLS, password included.`, 'Use https, or a private network.')]
}
