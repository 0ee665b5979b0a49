/** What the parties of the bench write into the audio they send, so that whoever gets it can tell how long it took. */

/** Milliseconds on the machine's monotonic clock, which all its processes share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export interface Stamp {
  readonly atMs: number
  readonly utterance: number
}

export function stamp(frame: Uint8Array, { atMs, utterance }: Stamp): void {
  const view = new DataView(frame.buffer, frame.byteOffset)
  view.setFloat64(0, atMs)
  view.setUint32(8, utterance)
}

export function readStamp(frame: Uint8Array): Stamp {
  const view = new DataView(frame.buffer, frame.byteOffset)
  return { atMs: view.getFloat64(0), utterance: view.getUint32(8) }
}

/** The 50th and 99th percentile and the worst, in milliseconds. */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return '-'
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(2)
  return `${at(0.5)} / ${at(0.99)} / ${at(1)}`
}
