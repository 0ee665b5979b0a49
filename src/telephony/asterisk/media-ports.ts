import { limits } from '../../limits.ts'

export interface PortRange {
  readonly start: number
  readonly end: number
}

const LEAST_PORT = 1_024
const MOST_PORT = 65_535
/** Two a call, and a tenth that stays free, for as many calls as there are lines. */
const MOST_PORTS = Math.ceil((2 * limits.media.lines) / 0.9)

/**
 * The ports of the way between Asterisk and the gateway, on loopback: right above those that callers reach, else right
 * below. A range of their own, because callers who take up all of theirs would crash an Asterisk that is then asked for
 * another external media channel (docs/decisions/0005). Nothing when there is no room.
 */
export function mediaPorts({ start, end }: PortRange): PortRange | undefined {
  const ports = Math.min(end - start + 1, MOST_PORTS)
  if (end + ports <= MOST_PORT) return { start: end + 1, end: end + ports }
  if (start - ports >= LEAST_PORT) return { start: start - ports, end: start - 1 }
  return undefined
}

/** All that Asterisk may take: the two ranges touch. */
export function asteriskPorts(rtp: PortRange): PortRange {
  const media = mediaPorts(rtp) ?? rtp
  return { start: Math.min(rtp.start, media.start), end: Math.max(rtp.end, media.end) }
}
