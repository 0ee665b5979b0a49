import { isEarlier, type JournalPosition } from './journal-reader.ts'

/** How much of the journal the store has not taken yet, and since when: what it has taken may go, the rest is a loss. */
export class Backlog {
  readonly #boundBytes: number
  /** By segment, oldest first. */
  readonly #bytes = new Map<number, number>()
  #taken: JournalPosition
  /** The end of the journal when the store last looked for it. */
  #seen: { readonly end: JournalPosition; readonly atMs: number } | undefined
  #sinceMs: number | undefined

  constructor(boundBytes: number, taken: JournalPosition) {
    this.#boundBytes = boundBytes
    this.#taken = taken
  }

  get taken(): JournalPosition {
    return this.#taken
  }

  get bytes(): number {
    let waiting = 0
    for (const segment of this.#bytes.keys()) waiting += this.bytesIn(segment)
    return waiting
  }

  /** Of what the journal can hold. */
  get share(): number {
    return this.bytes / this.#boundBytes
  }

  bytesIn(segment: number): number {
    const { segment: taken, byte } = this.#taken
    const all = this.#bytes.get(segment) ?? 0
    if (segment < taken) return 0
    return segment === taken ? Math.max(0, all - byte) : all
  }

  /** Of the oldest that waits; told too long rather than too short. */
  waitingMs(nowMs: number): number {
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs
  }

  wrote(end: JournalPosition, nowMs: number): void {
    this.#bytes.set(end.segment, end.byte)
    if (this.bytes > 0) this.#sinceMs ??= nowMs
  }

  dropped(segment: number): void {
    this.#bytes.delete(segment)
  }

  looked(end: JournalPosition, nowMs: number): void {
    this.#seen = { end, atMs: nowMs }
  }

  took(upTo: JournalPosition): void {
    this.#taken = upTo
    if (this.bytes === 0) this.#sinceMs = undefined
    else if (this.#seen && !isEarlier(upTo, this.#seen.end)) this.#sinceMs = this.#seen.atMs
  }
}
