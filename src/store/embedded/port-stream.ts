import { Duplex } from 'node:stream'
import type { MessagePort } from 'node:worker_threads'

/**
 * A port to another thread as the socket that the PostgreSQL client wants. The client writes whole messages of its protocol,
 * and those that it holds together (a query: parse, bind, describe, execute, sync) cross together.
 */
export class PortStream extends Duplex {
  readonly #port: MessagePort

  constructor(port: MessagePort) {
    super()
    this.#port = port
    port.on('message', (bytes: Uint8Array) => this.push(bytes))
    port.on('close', () => this.destroy())
  }

  connect(): void {
    process.nextTick(() => this.emit('connect'))
  }

  setNoDelay(): void {}

  setKeepAlive(): void {}

  ref(): void {
    this.#port.ref()
  }

  unref(): void {
    this.#port.unref()
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.#post([bytes])
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#post(chunks.map(({ chunk }) => chunk))
    done()
  }

  override _final(done: () => void): void {
    this.push(null)
    done()
  }

  /** A copy: a buffer may be a piece of a larger one that is written again. */
  #post(messages: readonly Buffer[]): void {
    this.#port.postMessage(Uint8Array.from(Buffer.concat(messages)))
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#port.close()
    done(error)
  }
}
