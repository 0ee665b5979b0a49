import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { FakeOpenAi } from './api.ts'
import type { Certificate } from './certificate.ts'
import { faultsSchema } from './faults.ts'

const FRAME_BYTES = 1024 * 1024
const BODY_BYTES = 64 * 1024

/** The double behind HTTP and WebSockets, not listening yet; with a certificate it speaks TLS alone. */
export function buildFakeServer(api: FakeOpenAi, certificate?: Certificate): Server {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES })
  const answer = (request: IncomingMessage, response: ServerResponse) => void answerHttp(api, request, response)
  const server = certificate ? createTlsServer(certificate, answer) : createServer(answer)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const refused = api.refusal({ url, authorization: request.headers.authorization })
    if (refused) {
      const after = refused.retryAfter === undefined ? '' : `retry-after: ${refused.retryAfter}\r\n`
      socket.end(`HTTP/1.1 ${refused.status} Refused\r\n${after}content-length: 0\r\nconnection: close\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, client => serve(api, client))
  })
  return server
}

function serve(api: FakeOpenAi, socket: WebSocket): void {
  const session = api.open({
    text: frame => socket.send(frame),
    binary: frame => socket.send(frame, { binary: true }),
    close: () => socket.terminate(),
  })
  socket.on('message', data => session.receive(String(data)))
  socket.on('error', () => {})
  socket.on('close', () => session.end())
}

async function answerHttp(api: FakeOpenAi, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = (status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (request.method === 'GET' && request.url === '/v1/models') {
    return void reply(200, { object: 'list', data: [{ id: 'gpt-realtime-2.1', object: 'model' }] })
  }
  if (request.method !== 'POST' || request.url !== '/faults')
    return void reply(404, { error: 'There is no such thing here.' })
  const faults = faultsSchema.safeParse(await bodyOf(request))
  if (!faults.success) return void reply(400, { error: faults.error.issues.map(({ message }) => message) })
  api.faults.plan(...faults.data)
  reply(200, { planned: faults.data.length })
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > BODY_BYTES) return undefined
  }
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
