import { WebSocket } from 'ws'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'

/** One connection as the session sees it: texts both ways. */
export interface Wire {
  send(text: string): void
  /** Asks for a sign of life. https://www.rfc-editor.org/rfc/rfc6455#section-5.5.2 */
  ping(): void
  /** Handed over and not sent yet. */
  readonly queuedBytes: number
  close(): void
}

interface WireListener {
  text(text: string): void
  /** The sign that was asked for. */
  alive(): void
  /** A frame that is no text. */
  unreadable(): void
  /** Once, and nothing after it. */
  lost(why: string): void
}

/** Opens one, or rejects with a `Refusal` when a server has answered that it will not. */
export type Dial = (
  address: URL,
  headers: Readonly<Record<string, string>>,
  listener: WireListener,
  signal: AbortSignal,
) => Promise<Wire>

/** The server's own answer to the wish for a connection. */
export class Refusal extends Error {
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(status: number, retryAfter: string | undefined) {
    super(`The server answered ${status}.`)
    this.status = status
    const seconds = Number(retryAfter)
    this.retryAfterMs = retryAfter !== undefined && seconds >= 0 ? seconds * 1_000 : undefined
  }
}

/** By `ws`, plain or with TLS. What it says of a failure never holds what was said on the line. */
export const dialWebSocket: Dial = (address, headers, listener, signal) => {
  const { promise, resolve, reject } = Promise.withResolvers<Wire>()
  const socket = new WebSocket(address, {
    headers,
    handshakeTimeout: limits.openai.handshakeMs,
    maxPayload: limits.openai.frameBytes,
    perMessageDeflate: false,
  })
  let problem = ''
  const abort = () => socket.terminate()
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  socket.on('unexpected-response', (request, response) => {
    reject(new Refusal(response.statusCode ?? 0, response.headers['retry-after']))
    request.destroy()
  })
  socket.on('error', error => {
    problem = causeOf(error)
  })
  socket.on('open', () =>
    resolve({
      // As bytes: these go out in one write with their head, and under TLS in one record; a text goes in two.
      send: text => socket.send(Buffer.from(text), { binary: false }, () => {}),
      ping: () => socket.ping('', true, () => {}),
      get queuedBytes() {
        return socket.bufferedAmount
      },
      close: () => socket.terminate(),
    }),
  )
  socket.on('message', (data, binary) => (binary ? listener.unreadable() : listener.text(String(data))))
  socket.on('pong', () => listener.alive())
  socket.on('close', code => {
    signal.removeEventListener('abort', abort)
    const why = problem || `it was closed with code ${code}`
    reject(new GatewayError('ENGINE_FAILED', `The connection could not be opened: ${why}.`, { retryable: true }))
    listener.lost(why)
  })
  return promise
}

/** Only a handshake fails without a code, and in it nothing has been said yet. */
function causeOf(error: Error): string {
  return String((error as NodeJS.ErrnoException).code ?? error.message)
}
