import { limits } from '../limits.ts'
import { parseHead, type SipMessage, withBody } from './message.ts'

const END_OF_HEAD = '\r\n\r\n'
const CR = 0x0d
const LF = 0x0a

/**
 * Cuts the bytes of a TCP connection into messages, whatever pieces they come in (RFC 3261 section 18.3). What is not
 * SIP breaks the stream for good: on a connection nothing tells where the next message would begin.
 */
export class MessageStream {
  #pending: Buffer = Buffer.alloc(0)
  #broken = false

  get broken(): boolean {
    return this.#broken
  }

  /** The messages that are whole with this chunk. */
  push(chunk: Buffer): SipMessage[] {
    const messages: SipMessage[] = []
    if (this.#broken) return messages
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    for (let message = this.#take(); message; message = this.#take()) messages.push(message)
    if (this.#broken) this.#pending = Buffer.alloc(0)
    return messages
  }

  #take(): SipMessage | undefined {
    this.#skipKeepAlives()
    const headEnd = this.#pending.subarray(0, limits.caller.sipBytes).indexOf(END_OF_HEAD)
    if (headEnd === -1) return this.#pending.length > limits.caller.sipBytes ? this.#break() : undefined
    const head = parseHead(this.#pending.toString('utf8', 0, headEnd))
    // On a stream Content-Length is not optional: without it the end of the body is unknown.
    if (head?.bodyBytes === undefined) return this.#break()
    const bodyStart = headEnd + END_OF_HEAD.length
    const end = bodyStart + head.bodyBytes
    if (end > limits.caller.sipBytes) return this.#break()
    if (end > this.#pending.length) return undefined
    const body = this.#pending.toString('utf8', bodyStart, end)
    this.#pending = this.#pending.subarray(end)
    return withBody(head, body)
  }

  /** Empty lines between messages keep connections alive (RFC 5626 section 3.5.1). */
  #skipKeepAlives(): void {
    let start = 0
    while (this.#pending[start] === CR && this.#pending[start + 1] === LF) start += 2
    this.#pending = this.#pending.subarray(start)
  }

  #break(): undefined {
    this.#broken = true
  }
}
