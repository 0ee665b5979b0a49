/** What the parties of the bench write into the audio they send, so that whoever gets it can tell how long it took. */

/** Milliseconds on the machine's monotonic clock, which all its processes share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** So that audio that begins with something else is not taken for a stamp. */
const MAGIC = 0x50_4c_4e_45

export interface Stamp {
  readonly atMs: number
  readonly utterance: number
}

export function stamp(frame: Uint8Array, { atMs, utterance }: Stamp): void {
  const view = new DataView(frame.buffer, frame.byteOffset)
  view.setFloat64(0, atMs)
  view.setUint32(8, utterance)
  view.setUint32(12, MAGIC)
}

/** Nothing where a frame does not begin with a packet. */
export function readStamp(frame: Uint8Array): Stamp | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset)
  if (view.getUint32(12) !== MAGIC) return undefined
  return { atMs: view.getFloat64(0), utterance: view.getUint32(8) }
}

/** The 50th and 99th percentile and the worst, in milliseconds. */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return '-'
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(2)
  return `${at(0.5)} / ${at(0.99)} / ${at(1)}`
}
