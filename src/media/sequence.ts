/** RTP counts in 16 bits (packets) and 32 bits (samples) and wraps: RFC 3550, 5.1. Distances are the shorter way round. */

/** How far `sequence` is ahead of `other`: -32,768 to 32,767. */
export function sequenceDistance(sequence: number, other: number): number {
  return ((sequence - other) << 16) >> 16
}

/** The unwrapped number nearest to `near` whose low 16 bits are `sequence`. */
export function unwrapSequence(sequence: number, near: number): number {
  return near + sequenceDistance(sequence, near)
}

/** How far `timestamp` is ahead of `other`: -2^31 to 2^31 - 1. */
export function timestampDistance(timestamp: number, other: number): number {
  return (timestamp - other) | 0
}

/** The unwrapped number nearest to `near` whose low 32 bits are those of `timestamp`. */
export function unwrapTimestamp(timestamp: number, near: number): number {
  return near + timestampDistance(timestamp, near)
}
