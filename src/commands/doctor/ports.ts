import { portsToOpen, type Refused, refusalInWords, tryPort, type Wanted } from '../../telephony/asterisk/ports.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Ours, Scene } from './scene.ts'

const { ok, hint, error } = findingsOf('ports')

interface SeenPort {
  readonly wanted: Wanted
  /** Undefined: it is free. */
  readonly refused: Refused | undefined
}

export async function lookAtPorts({ config }: Scene): Promise<SeenPort[]> {
  const { http, sip, ari, asterisk } = config
  const wanted: Wanted[] = [{ setting: 'HTTP_PORT', protocol: 'tcp', address: http.host, port: http.port }]
  if (asterisk !== 'external') wanted.push(...portsToOpen({ bindAddress: '0.0.0.0', ...sip, ari }))
  const seen: SeenPort[] = []
  for (const each of wanted) seen.push({ wanted: each, refused: await tryPort(each) })
  return seen
}

export function judgePorts(seen: readonly SeenPort[], ours: Ours): Finding[] {
  return [...clashes(seen.map(({ wanted }) => wanted)), ...seen.map(each => judgePort(each, ours))]
}

/** They look free as long as nothing runs. */
function clashes(wanted: readonly Wanted[]): Finding[] {
  const byPort = Map.groupBy(wanted, ({ protocol, port }) => `${protocol.toUpperCase()} ${port}`)
  return [...byPort]
    .filter(([, same]) => same.length > 1)
    .map(([port, same]) => {
      const settings = same.map(({ setting }) => setting)
      return error(`${settings.join(' and ')} are both ${port}.`, `Set one of them to another port.`)
    })
}

function judgePort({ wanted, refused }: SeenPort, ours: Ours): Finding {
  const what = `${wanted.protocol.toUpperCase()} ${wanted.port} (${wanted.setting})`
  if (refused === undefined) return ok(`${what} is free.`)
  const another = `Set ${wanted.setting} to another port, or end what holds this one.`
  if (refused.code !== 'EADDRINUSE') return error(refusalInWords(wanted, refused), another)
  const { holder } = refused
  const own = [ours.gateway?.holder?.pid, ours.asteriskPid]
  if (holder && own.includes(holder.pid)) return ok(`${what} is held by Parley itself (process ${holder.pid}).`)
  if (!holder && (ours.gateway || ours.asteriskPid)) {
    return hint(
      `${what} is held by a process of another user; Parley is running, so most likely by Parley itself.`,
      'Run the doctor as the user that Parley runs as.',
    )
  }
  return error(`${what} is taken${holder ? ` by process ${holder.pid} (${holder.name})` : ''}.`, another)
}
