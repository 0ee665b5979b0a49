import type { EventEmitter } from 'node:events'
import type { Agent, ClientRequest } from 'node:http'
import { createRequire } from 'node:module'
import type { WebSocket } from 'ws'

/** What we touch of ari-client and of what it stands on; it publishes no types for its insides. */
export interface AriClientModule {
  connect(url: string, username: string, password: string): PromiseLike<AriClient>
}

export interface AriClient extends EventEmitter {
  _ws: WebSocket
  _wsClosed: boolean | undefined
  start(app: string): PromiseLike<void>
  ping(): void
  readonly [resource: string]: Readonly<Record<string, Operation>> | unknown
}

export type Operation = (parameters: Readonly<Record<string, unknown>>) => PromiseLike<unknown>

export interface SwaggerModule {
  readonly SwaggerHttp: {
    new (): { execute(request: SwaggerRequest): SentRequest }
    readonly prototype: { execute(request: SwaggerRequest): SentRequest }
  }
}

interface SwaggerRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly on: Readonly<Record<'response' | 'error', (response: unknown) => void>>
  readonly agent?: Agent
}

/** A request of `shred`, the HTTP client beneath swagger-client. */
export interface SentRequest {
  readonly emitter: EventEmitter
  readonly _raw: ClientRequest
}

/**
 * A copy of ari-client that nobody else in the process has. Its swagger-client keeps the credentials in one place for
 * everyone: with a shared copy a second server's password would be sent to the first as well.
 */
export function copyOfAriClient(): { readonly ariClient: AriClientModule; readonly swagger: SwaggerModule } {
  const require = createRequire(import.meta.url)
  const requireInside = createRequire(require.resolve('ari-client'))
  delete require.cache[require.resolve('ari-client')]
  delete require.cache[requireInside.resolve('swagger-client')]
  const ariClient: AriClientModule = require('ari-client')
  const swagger: SwaggerModule = requireInside('swagger-client')
  // swagger-client makes itself a global of this name and prints a notice at every connect.
  Object.assign(globalThis, { log: () => {} })
  return { ariClient, swagger }
}
