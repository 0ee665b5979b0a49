import { httpAddressHere } from '../../own-address.ts'
import { remedies } from '../../server/readiness.ts'
import { type Asked, ask } from './ask.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Ours, Scene } from './scene.ts'

const { ok, hint, warning, error } = findingsOf('gateway')

interface Gateway {
  readonly ours: Ours
  /** Of /readyz; undefined when no gateway runs. */
  readonly readiness: Asked | undefined
}

export async function lookAtGateway({ config, ours }: Scene): Promise<Gateway> {
  return { ours, readiness: ours.gateway && (await ask(`${httpAddressHere(config.http)}/readyz`)) }
}

export function judgeGateway({ ours, readiness }: Gateway): Finding[] {
  if (readiness === undefined) {
    return ours.asteriskPid === undefined
      ? [hint('Parley is not running with this STATE_DIR.', 'Start it with: npm start')]
      : [
          hint(
            `Parley is not running, and the Asterisk it left (process ${ours.asteriskPid}) takes callers to the fallback.`,
            'Start it with: npm start. It takes that Asterisk over.',
          ),
        ]
  }
  if ('unreachable' in readiness) {
    return [
      error(
        `Parley runs with this STATE_DIR, but its API does not answer: ${readiness.unreachable}.`,
        'Use the HTTP_HOST and HTTP_PORT that it was started with; if it hangs, end it and start it again.',
      ),
    ]
  }
  const { status, body } = readiness
  const answers =
    status === 200
      ? ok('Parley is running and would answer a call.')
      : error(`Parley is running and would not answer a call: ${reasonsIn(body)}`, 'See its log.')
  return [answers, ...warningsIn(body).flatMap(judgeWarning)]
}

function warningsIn(body: unknown): readonly string[] {
  const told = (body as { warnings?: unknown } | undefined)?.warnings
  return Array.isArray(told) ? told.filter(each => typeof each === 'string') : []
}

/** As it comes from a gateway that runs, which may be another version. */
function judgeWarning(text: string): Finding[] {
  // Of jobs more is told by themselves.
  if (text.endsWith(remedies.jobs)) return []
  const remedy = Object.values(remedies).find(each => text.endsWith(each))
  const words = remedy === undefined ? text : text.slice(0, -remedy.length).trim()
  return [warning(`Parley is running, and says: ${words}`, remedy ?? 'See its log.')]
}

function reasonsIn(body: unknown): string {
  const detail = (body as { detail?: unknown } | undefined)?.detail
  return typeof detail === 'string' ? detail : 'it does not tell why.'
}
