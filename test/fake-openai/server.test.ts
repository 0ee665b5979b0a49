import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { FakeOpenAi } from '../../src/fake-openai/api.ts'
import { type Certificate, selfSigned } from '../../src/fake-openai/certificate.ts'
import { buildFakeServer } from '../../src/fake-openai/server.ts'
import { limits } from '../../src/limits.ts'
import { sessionAddress } from '../../src/providers/openai/address.ts'
import { dialWebSocket, Refusal } from '../../src/providers/openai/wire.ts'

const forever = new AbortController().signal
let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function listen(api: FakeOpenAi, certificate?: Certificate): Promise<string> {
  server = buildFakeServer(api, certificate)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `${certificate ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Everything that comes of one connection. */
async function connect(baseUrl: string, key = 'key', signal = forever) {
  const texts: string[] = []
  const first = Promise.withResolvers<void>()
  const alive = Promise.withResolvers<void>()
  const lost = Promise.withResolvers<string>()
  let unreadable = 0
  const listener = {
    text: (text: string) => {
      texts.push(text)
      first.resolve()
    },
    unreadable: () => {
      unreadable += 1
      first.resolve()
    },
    alive: alive.resolve,
    lost: lost.resolve,
  }
  const wire = await dialWebSocket(sessionAddress(baseUrl, 'm'), { authorization: `Bearer ${key}` }, listener, signal)
  return { wire, texts, first: first.promise, alive: alive.promise, lost: lost.promise, unreadable: () => unreadable }
}

describe('the double behind a socket', () => {
  it.each(['http', 'ws'])('opens a session, plain: %s', async scheme => {
    const api = new FakeOpenAi({ clock: systemClock, apiKey: 'key' })
    const { wire, texts, first, lost } = await connect((await listen(api)).replace('http', scheme))
    await first
    expect(JSON.parse(texts[0]!)).toMatchObject({ type: 'session.created' })
    wire.close()
    expect(await lost).toContain('1006')
  })

  it('gives a sign of life when it is asked for one', async () => {
    const { wire, alive } = await connect(await listen(new FakeOpenAi({ clock: systemClock })))
    wire.ping()
    await alive
    wire.close()
  })

  it.each(['https', 'wss'])('opens a session with TLS, for those who trust its certificate: %s', async scheme => {
    const certificate = selfSigned(['localhost', '127.0.0.1'], systemClock.wallMs())
    const baseUrl = (await listen(new FakeOpenAi({ clock: systemClock }), certificate)).replace('https', scheme)
    await expect(connect(baseUrl)).rejects.toMatchObject({ retryable: true })
    const before = getCACertificates('default')
    setDefaultCACertificates([...before, certificate.cert])
    try {
      const { texts, first, wire } = await connect(baseUrl)
      await first
      expect(texts[0]).toContain('session.created')
      wire.close()
    } finally {
      setDefaultCACertificates(before)
    }
  })

  it('refuses a wrong key, and tells how long to wait', async () => {
    const api = new FakeOpenAi({ clock: systemClock, apiKey: 'key' })
    const baseUrl = await listen(api)
    await expect(connect(baseUrl, 'wrong')).rejects.toMatchObject({ status: 401, retryAfterMs: undefined })
    const planned = await fetch(`${baseUrl}/faults`, {
      method: 'POST',
      body: JSON.stringify([{ at: 'connect', status: 429, retryAfter: '2' }]),
    })
    expect(await planned.json()).toEqual({ planned: 1 })
    const refusal = await connect(baseUrl).catch(error => error)
    expect(refusal).toBeInstanceOf(Refusal)
    expect(refusal).toMatchObject({ status: 429, retryAfterMs: 2_000 })
  })

  it('says what is wrong with a fault that it does not know', async () => {
    const baseUrl = await listen(new FakeOpenAi({ clock: systemClock }))
    const answer = await fetch(`${baseUrl}/faults`, { method: 'POST', body: '[{"at":"lunch"}]' })
    expect(answer.status).toBe(400)
  })

  it('sends frames that are none, and one that is too large ends the connection', async () => {
    const api = new FakeOpenAi({ clock: systemClock })
    const { lost, unreadable, first } = await connect(await listen(api))
    await first
    const { client } = api.sessions[0]!
    client.binary(new Uint8Array(4))
    client.text('x'.repeat(limits.openai.frameBytes + 1))
    expect(await lost).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
    expect(unreadable()).toBe(1)
  })

  it('is left at once by one who has hung up', async () => {
    const leaving = new AbortController()
    const { lost, first } = await connect(await listen(new FakeOpenAi({ clock: systemClock })), 'key', leaving.signal)
    await first
    leaving.abort()
    expect(await lost).toContain('1006')
  })
})

it('a handshake that fails is told by its cause', async () => {
  server = createServer().on('upgrade', (_, socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await expect(connect(`http://127.0.0.1:${port}`)).rejects.toThrow(
    'The connection could not be opened: Invalid Sec-WebSocket-Accept header.',
  )
})
