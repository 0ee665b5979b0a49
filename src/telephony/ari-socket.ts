import { GatewayError } from '../errors.ts'
import type { AriConnection, AriListener } from './ari.ts'
import type { AriClient } from './ari-client-copy.ts'
import { readEvent } from './ari-events.ts'
import { refused } from './ari-requests.ts'

/**
 * One life of ari-client's events socket. It is opened by ari-client and read by it, but ends for good when it ends:
 * ari-client's own reconnecting, which gives up after ten tries, is switched off.
 */
export class AriSocket implements AriConnection {
  /** Rejects when the socket ends before it has opened. */
  readonly opened: Promise<void>
  readonly #client: AriClient
  readonly #ws: AriClient['_ws']
  readonly #listener: AriListener
  #state: 'opening' | 'open' | 'closed' = 'opening'
  #problem = ''
  #pinged: PromiseWithResolvers<void> | undefined

  constructor(client: AriClient, app: string, listener: AriListener) {
    this.#client = client
    this.#listener = listener
    const opened = Promise.withResolvers<void>()
    this.opened = opened.promise
    client.on('*', this.#read)
    client.on('pong', this.#onPong)
    client.start(app).then(() => {
      this.#state = 'open'
      opened.resolve()
    }, opened.reject)
    this.#ws = client._ws
    this.#guardMessages()
    this.#ws.prependListener('error', error => {
      client._wsClosed = true
      this.#problem = error.message
    })
    this.#ws.prependListener('close', () => {
      // Tells ari-client that the end was wanted; its own handler, which comes next, takes the mark away again.
      client._wsClosed = true
      opened.reject(refusal(this.#problem))
      this.#onEnd()
    })
  }

  ping(): Promise<void> {
    this.#pinged = Promise.withResolvers<void>()
    this.#client.ping()
    return this.#pinged.promise
  }

  close(): void {
    this.#state = 'closed'
    this.#ws.terminate()
  }

  readonly #read = (raw: unknown) => {
    const event = readEvent(raw)
    if (event && this.#state !== 'closed') this.#listener.event(event)
  }

  readonly #onPong = () => this.#pinged?.resolve()

  /** ari-client throws inside the socket at an event it does not know, and the socket is dead from then on. */
  #guardMessages(): void {
    const [process] = this.#ws.listeners('message')
    this.#ws.removeAllListeners('message')
    this.#ws.on('message', (...message: unknown[]) => {
      try {
        process?.apply(this.#ws, message)
      } catch {
        // No word of it in the report: it may hold a caller's number.
        this.#listener.unreadable('An event from Asterisk could not be read and was dropped.')
      }
    })
  }

  #onEnd(): void {
    this.#pinged?.reject(ended())
    this.#client.off('*', this.#read)
    this.#client.off('pong', this.#onPong)
    if (this.#state === 'open') this.#listener.lost('Asterisk closed the events socket.')
    this.#state = 'closed'
  }
}

function ended(): GatewayError {
  return new GatewayError('ARI_UNREACHABLE', 'The events socket to Asterisk has ended.', { retryable: true })
}

function refusal(problem: string): GatewayError {
  if (problem.includes('401')) return refused()
  return new GatewayError('ARI_UNREACHABLE', "Asterisk's events socket could not be opened.", { retryable: true })
}
