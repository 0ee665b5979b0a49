import { httpAddressHere } from '../../own-address.ts'
import { type Asked, ask } from './ask.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Ours, Scene } from './scene.ts'

const { ok, hint, error } = findingsOf('gateway')

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
  if (readiness.status === 200) return [ok('Parley is running and would answer a call.')]
  return [error(`Parley is running and would not answer a call: ${reasonsIn(readiness.body)}`, 'See its log.')]
}

function reasonsIn(body: unknown): string {
  const detail = (body as { detail?: unknown } | undefined)?.detail
  return typeof detail === 'string' ? detail : 'it does not tell why.'
}
