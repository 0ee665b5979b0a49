import { FRAME_MS } from './audio.ts'

/**
 * The telling of a digit and the gap it leaves come different ways, and a busy machine may keep either waiting: so far apart
 * they still belong together.
 */
const APART_MS = 2_000
/** RFC 4733, 2.5.1.4: the last packet comes three times; and one may have begun before it was counted. */
const BESIDES = 3
/** Further back nothing is remembered. */
const REMEMBERED = 32

interface Digit {
  readonly fromMs: number
  readonly toMs: number
  /** As many of its packets are still to be missed. */
  packets: number
}

interface Gap {
  readonly atMs: number
  /** As many of its packets count as lost. */
  packets: number
}

/**
 * A keypad digit comes in packets of the caller's stream (RFC 4733), which a PBX takes out and tells in its own words,
 * without closing up the sequence numbers. What is missing where a digit was is no loss, up to as many packets as it took.
 */
export class DigitGaps {
  readonly #digits: Digit[] = []
  readonly #gaps: Gap[] = []

  /** So many packets are missing, as was noticed then. Tells how many of them no digit explains. */
  missing(packets: number, atMs: number): number {
    const gap: Gap = { atMs, packets }
    for (const digit of this.#digits) explain(gap, digit)
    if (gap.packets > 0) remember(this.#gaps, gap)
    return gap.packets
  }

  /** A digit was released just now. Tells how many packets that were taken for lost it explains. */
  released(heldMs: number, nowMs: number): number {
    const packets = Math.ceil(heldMs / FRAME_MS) + BESIDES
    const digit: Digit = { fromMs: nowMs - heldMs - APART_MS, toMs: nowMs + APART_MS, packets }
    for (const gap of this.#gaps) explain(gap, digit)
    if (digit.packets > 0) remember(this.#digits, digit)
    return packets - digit.packets
  }
}

function explain(gap: Gap, digit: Digit): void {
  if (gap.atMs < digit.fromMs || gap.atMs > digit.toMs) return
  const explained = Math.min(gap.packets, digit.packets)
  gap.packets -= explained
  digit.packets -= explained
}

function remember<T>(list: T[], item: T): void {
  list.push(item)
  if (list.length > REMEMBERED) list.shift()
}
