import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { selfSigned } from '../../src/fake-openai/certificate.ts'
import { limits } from '../../src/limits.ts'
import { exchange, type ResolvedAddress } from '../../src/tools/exchange.ts'
import { reachOf } from '../../src/tools/reach.ts'

const home = { address: '127.0.0.1', family: 4 }
const signal = new AbortController().signal

type Serve = (request: IncomingMessage, response: ServerResponse) => void

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A server on this machine; asked under a name that resolves to these addresses. */
async function shop(
  serve: Serve,
  { addresses = [home], open = ['127.0.0.0/8'], secure = false, byStatus = false } = {},
) {
  const asked: string[] = []
  const answer: Serve = (request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.host?.split(':')[0]}`)
    serve(request, response)
  }
  const server = secure ? createTlsServer(selfSigned(['shop.test'], 0), answer) : createServer(answer)
  const port = await listening(server)
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const resolved: string[] = []
  const resolve = async (host: string): Promise<readonly ResolvedAddress[]> => {
    resolved.push(host)
    return addresses
  }
  const ask = (path = '/', { host = 'shop.test', method = 'GET', body = undefined as string | undefined } = {}) => {
    const url = new URL(`${secure ? 'https' : 'http'}://${host}:${port}${path}`)
    return exchange({ method, url, headers: {}, body }, { reach: reachOf(open), resolve, byStatus }, signal)
  }
  return { ask, asked, resolved, server }
}

describe('one request', () => {
  it('is asked and answered, at the address that was looked at', async () => {
    const { ask, asked, resolved } = await shop(async (request, response) => {
      let text = ''
      for await (const piece of request) text += piece
      response.writeHead(201).end(`heard ${text}`)
    })
    const answer = await ask('/orders?a=1', { method: 'POST', body: '{"b":2}' })
    expect(answer).toEqual({ kind: 'answered', status: 201, text: 'heard {"b":2}' })
    expect(asked).toEqual(['POST /orders?a=1 shop.test'])
    expect(resolved).toEqual(['shop.test'])
  })

  it('never goes where it may not, however that is written', async () => {
    const { ask, asked } = await shop((_, response) => response.end('{}'), { open: [] })
    for (const host of ['shop.test', '127.0.0.1', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '[::1]', '0.0.0.0'])
      expect(await ask('/', { host })).toEqual({ kind: 'barred' })
    expect(asked).toEqual([])
  })

  it('goes to what may be reached of several addresses, and only there', async () => {
    const barred = { address: '192.168.7.7', family: 4 }
    const { ask, asked } = await shop((_, response) => response.end('{}'), { addresses: [barred, home] })
    expect(await ask()).toMatchObject({ kind: 'answered', text: '{}' })
    expect(asked).toHaveLength(1)
  })

  it('does not follow where it is sent', async () => {
    const { ask, asked } = await shop((_, response) => response.writeHead(302, { location: '/other' }).end())
    expect(await ask()).toMatchObject({ kind: 'answered', status: 302 })
    expect(asked).toHaveLength(1)
  })

  it('reads no more than its bound', async () => {
    const { ask } = await shop((_, response) => response.end('x'.repeat(limits.tools.answerBytes + 1)))
    expect(await ask()).toMatchObject({ kind: 'broken', why: expect.stringContaining('longer') })
    const whole = await shop((_, response) => response.end('x'.repeat(limits.tools.answerBytes)))
    expect(await whole.ask()).toMatchObject({ kind: 'answered' })
  })

  it('has its answer by the status alone where that is all that is asked, whatever becomes of the rest', async () => {
    const long = await shop((_, response) => response.end('x'.repeat(limits.tools.answerBytes + 1)), { byStatus: true })
    expect(await long.ask()).toEqual({ kind: 'answered', status: 200, text: '' })
    const cut = (_: unknown, response: ServerResponse) => {
      response.writeHead(202, { 'content-length': '100' }).write('half')
      setImmediate(() => response.destroy())
    }
    const half = await shop(cut, { byStatus: true })
    expect(await half.ask()).toEqual({ kind: 'answered', status: 202, text: '' })
    const none = await shop(request => request.socket.destroy(), { byStatus: true })
    expect(await none.ask()).toMatchObject({ kind: 'unanswered' })
  })

  it('tells whether anything was sent when nothing came', async () => {
    const { ask } = await shop(request => request.socket.destroy())
    expect(await ask()).toEqual({ kind: 'unanswered', sent: true, why: 'the connection failed (ECONNRESET)' })
    const { ask: askClosed, server } = await shop(() => {})
    server.close()
    expect(await askClosed()).toEqual({ kind: 'unanswered', sent: false, why: 'the connection failed (ECONNREFUSED)' })
    const nobody = await shop(() => {})
    const unknown = { reach: reachOf([]), resolve: () => Promise.reject(new Error('ENOTFOUND secret')) }
    const request = { method: 'GET', url: new URL('http://nowhere.test/'), headers: {}, body: undefined }
    expect(await exchange(request, unknown, signal)).toEqual({
      kind: 'unanswered',
      sent: false,
      why: 'its name is not known',
    })
    expect(nobody.asked).toEqual([])
  })

  it('is broken when the server wants to speak something else', async () => {
    const { ask } = await shop((_, { socket }) => {
      socket!.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n')
    })
    expect(await ask()).toEqual({ kind: 'broken', why: 'it wants to speak another protocol' })
  })

  it('is broken when the answer breaks off', async () => {
    const { ask } = await shop((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      setImmediate(() => response.destroy())
    })
    expect(await ask()).toMatchObject({ kind: 'broken' })
  })

  it('trusts nobody whom it does not know, and has told them nothing by then', async () => {
    const { ask, asked } = await shop((_, response) => response.end('{}'), { secure: true })
    expect(await ask()).toMatchObject({ kind: 'unanswered', sent: false })
    expect(asked).toEqual([])
  })

  it('ends with its signal', async () => {
    const ending = new AbortController()
    const { server } = await shop(() => {})
    const { port } = server.address() as AddressInfo
    const request = { method: 'GET', url: new URL(`http://127.0.0.1:${port}/`), headers: {}, body: undefined }
    const asking = exchange(request, { reach: () => true, resolve: async () => [home] }, ending.signal)
    await once(server, 'request')
    ending.abort(new Error('late'))
    expect(await asking).toMatchObject({ kind: 'unanswered', sent: true })
  })
})
