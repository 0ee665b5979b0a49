import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Delivery {
  readonly id: string
  readonly event: string
  readonly body: Readonly<Record<string, unknown>>
  /** Of what was received; a wrong one is refused, and stands in `forged`. */
  readonly atSeconds: number
}

/** Once, at the next delivery. `lost`: it is taken, and the answer never arrives. */
export type HookFault = number | 'silent' | 'reset' | 'lost'

/** More than the documentation allows between two clocks. */
const TOLERANCE_SECONDS = 300

/**
 * An integrator: counts what it is told, and believes only what is signed as docs/decisions/0017 says. It shares nothing with
 * whoever signs: the signature is computed by WebCrypto, and compared here.
 */
export class HookServer {
  readonly taken: Delivery[] = []
  /** Why something was not believed. */
  readonly forged: string[] = []
  /** By what it looks at the time of a delivery. */
  nowSeconds: () => number
  readonly #secret: string
  readonly #faults: HookFault[] = []
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  private constructor(secret: string, nowSeconds: () => number) {
    this.#secret = secret
    this.nowSeconds = nowSeconds
  }

  static async start(secret: string, nowSeconds: () => number): Promise<HookServer> {
    const server = new HookServer(secret, nowSeconds)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
  }

  /** What was told more than once. */
  get doubled(): readonly string[] {
    const ids = this.taken.map(({ id }) => id)
    return ids.filter((id, at) => ids.indexOf(id) !== at)
  }

  plan(...faults: readonly HookFault[]): void {
    this.#faults.push(...faults)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    try {
      for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
    } catch {
      return
    }
    const body = Buffer.concat(pieces).toString()
    const problem = await this.#problemWith(request, body)
    if (problem !== undefined) {
      this.forged.push(problem)
      return void response.writeHead(401).end()
    }
    const fault = this.#faults.shift()
    if (fault === 'silent') return
    if (fault === 'reset') return void request.socket.destroy()
    if (typeof fault === 'number') return void response.writeHead(fault).end()
    const value = JSON.parse(body) as Record<string, unknown>
    const atSeconds = Number(request.headers['webhook-timestamp'])
    this.taken.push({ id: String(request.headers['webhook-id']), event: String(value['type']), body: value, atSeconds })
    if (fault === 'lost') return void request.socket.destroy()
    response.writeHead(204).end()
  }

  /** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
  async #problemWith({ method, headers }: IncomingMessage, body: string): Promise<string | undefined> {
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = headers
    if (method !== 'POST') return `asked by ${method}`
    if (typeof id !== 'string' || typeof at !== 'string' || typeof signatures !== 'string') return 'not signed'
    if (!/^[0-9]+$/.test(at) || Math.abs(this.nowSeconds() - Number(at)) > TOLERANCE_SECONDS) return 'too old'
    const wanted = await signatureOf(this.#secret, `${id}.${at}.${body}`)
    if (!signatures.split(' ').includes(`v1,${wanted}`)) return 'signed by somebody else'
    return undefined
  }
}

/** HMAC-SHA-256 (RFC 2104), in base64. A secret that begins with whsec_ is base64 itself, any other its own bytes. */
export async function signatureOf(secret: string, text: string): Promise<string> {
  const encoder = new TextEncoder()
  const [, coded] = /^whsec_(.+)$/.exec(secret) ?? []
  const bytes = coded === undefined ? encoder.encode(secret) : Uint8Array.from(atob(coded), each => each.charCodeAt(0))
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign'])
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text)))))
}
