/** The first message of a client has no type before its length. */
const UNTYPED = 0
const TYPED = 1

/**
 * Cuts a client's bytes into whole messages of PostgreSQL's protocol.
 * https://www.postgresql.org/docs/15/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS
 */
export class ClientMessages {
  #waiting: Uint8Array = new Uint8Array(0)
  #typeBytes = UNTYPED

  cut(bytes: Uint8Array): Uint8Array[] {
    this.#waiting = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes])
    const messages: Uint8Array[] = []
    for (let length = this.#nextLength; length <= this.#waiting.length; length = this.#nextLength) {
      messages.push(this.#waiting.subarray(0, length))
      this.#waiting = this.#waiting.subarray(length)
      this.#typeBytes = TYPED
    }
    return messages
  }

  /** Of the next message, type included; unknown as long as it is not told. */
  get #nextLength(): number {
    const { buffer, byteOffset, byteLength } = this.#waiting
    if (byteLength < this.#typeBytes + 4) return Number.POSITIVE_INFINITY
    return this.#typeBytes + new DataView(buffer, byteOffset, byteLength).getUint32(this.#typeBytes)
  }
}
