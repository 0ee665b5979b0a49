import { readFileSync } from 'node:fs'
import { Admission, pairsOf } from '../../call/admission.ts'
import { openPorts, socketsOf } from '../../telephony/asterisk/holders.ts'
import { asteriskPorts, mediaPorts, type PortRange } from '../../telephony/asterisk/media-ports.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning, error } = findingsOf('rtp')

interface Rtp {
  readonly range: PortRange
  /** MAX_CALLS, when it is set. */
  readonly maxCalls: number | undefined
  readonly sipUdpPort: number
  /** UDP ports that are open on this machine, but for those of our own Asterisk. */
  readonly takenPorts: readonly number[]
  /** What the system hands out to any program. */
  readonly systemRange: PortRange | undefined
}

export function lookAtRtp({ config, ours }: Scene): Rtp {
  const own = ours.asteriskPid === undefined ? new Set<string>() : socketsOf(ours.asteriskPid)
  const others = openPorts('udp').filter(({ inode }) => !own?.has(inode))
  return {
    range: config.rtp,
    maxCalls: config.maxCalls,
    sipUdpPort: config.sip.udpPort,
    // Whose they are cannot be told when our Asterisk runs as another user; an external one has its ports by right.
    takenPorts: own && config.asterisk !== 'external' ? others.map(({ port }) => port) : [],
    systemRange: systemRange(),
  }
}

export function judgeRtp(seen: Rtp): Finding[] {
  const { range, maxCalls, sipUdpPort } = seen
  const findings = [judgeCapacity(range, maxCalls), ...judgeTaken(seen), ...judgeSystemRange(seen)]
  const all = asteriskPorts(range)
  if (within(all, sipUdpPort)) {
    findings.push(
      error(
        `SIP_UDP_PORT ${sipUdpPort} lies among Asterisk's RTP ports ${all.start}-${all.end}.`,
        'Set it to a port outside of them.',
      ),
    )
  }
  return findings
}

function judgeCapacity(range: PortRange, maxCalls: number | undefined): Finding {
  const capacity = callsOf(range)
  const carried = `RTP ports ${range.start}-${range.end} carry ${capacity} calls`
  if (maxCalls === undefined) return ok(`${carried}, which is the limit.`)
  if (maxCalls <= capacity) return ok(`${carried}; MAX_CALLS is ${maxCalls}.`)
  let end = range.end
  while (end < 65_535 && callsOf({ start: range.start, end }) < maxCalls) end++
  const remedy =
    callsOf({ start: range.start, end }) < maxCalls
      ? 'Lower RTP_PORT_START, or MAX_CALLS.'
      : `Set RTP_PORT_END to ${end} and open those ports in the firewall, or lower MAX_CALLS.`
  return warning(`${carried}, so MAX_CALLS ${maxCalls} is never reached.`, remedy)
}

/** Asterisk passes over a port that is taken, which the gateway's count does not know. */
function judgeTaken({ range, takenPorts }: Rtp): Finding[] {
  const media = mediaPorts(range)
  return [
    ...judgeTakenOf(range, 'RTP ports', 'callers would be turned away before the limit is reached', takenPorts),
    ...(media ? judgeTakenOf(media, 'ports to Asterisk', 'Asterisk would run out of them, and crash', takenPorts) : []),
  ]
}

function judgeTakenOf(range: PortRange, what: string, consequence: string, takenPorts: readonly number[]): Finding[] {
  const taken = takenPorts.filter(port => within(range, port))
  if (taken.length === 0) return []
  const pairs = new Set(taken.map(port => port - (port % 2))).size
  const spare = pairsOf(range) - new Admission(range, undefined, () => 0).pairs
  const words = `${taken.length} of the ${what} ${range.start}-${range.end} are held by other programs`
  const remedy = 'Choose RTP_PORT_START and RTP_PORT_END where no other program has ports.'
  if (pairs <= spare) return [warning(`${words}; the ${spare} pairs that stay free make up for it.`, remedy)]
  return [error(`${words}: ${consequence}.`, remedy)]
}

function judgeSystemRange({ range, systemRange }: Rtp): Finding[] {
  const all = asteriskPorts(range)
  if (!systemRange || all.end < systemRange.start || all.start > systemRange.end) return []
  return [
    hint(
      `The system hands out ports from ${systemRange.start} to ${systemRange.end} to any program, some of Asterisk's among them.`,
      `Keep ${all.start}-${all.end} below ${systemRange.start}, or set net.ipv4.ip_local_reserved_ports to it.`,
    ),
  ]
}

function callsOf(range: PortRange): number {
  return new Admission(range, undefined, () => 0).maxCalls
}

function within(range: PortRange, port: number): boolean {
  return port >= range.start && port <= range.end
}

function systemRange(): PortRange | undefined {
  try {
    const [start, end] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number)
    return start && end ? { start, end } : undefined
  } catch {
    return undefined
  }
}
