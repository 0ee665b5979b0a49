import { once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { AriEvent } from '../../src/telephony/ari.ts'
import { AriClientAdapter } from '../../src/telephony/ari-client.ts'
import { copyOfAriClient } from '../../src/telephony/ari-client-copy.ts'
import { eventTypes } from '../../src/telephony/ari-events.ts'
import { AriSocket } from '../../src/telephony/ari-socket.ts'
import { FakeAri } from '../support/fake-ari.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { fakeAri, gateway } from './harness.ts'

const ignore = { event: () => {}, unreadable: () => {}, lost: () => {} }

async function adapter(asterisk: FakeAri, password = asterisk.password) {
  const clock = new VirtualClock()
  const ari = new AriClientAdapter({ url: asterisk.url, username: 'parley', password, app: 'parley' }, clock)
  return { clock, ari }
}

async function connected(asterisk: FakeAri) {
  const events: AriEvent[] = []
  const problems: string[] = []
  const made = await adapter(asterisk)
  const listener = {
    event: (event: AriEvent) => void events.push(event),
    unreadable: (problem: string) => void problems.push(problem),
    lost: (reason: string) => void problems.push(reason),
  }
  return { ...made, events, problems, connection: await made.ari.connect(listener) }
}

describe("ari-client's defects, contained", () => {
  it('(a) credentials are process-wide: two servers get their own password each', async () => {
    const [first, second] = await Promise.all([fakeAri('one'), fakeAri('two')])
    const [one, two] = await Promise.all([connected(first), connected(second)])
    await Promise.all([one.ari.ping(), two.ari.ping(), one.ari.channels(), two.ari.channels()])
    await expect(adapter(first, 'two').then(({ ari }) => ari.connect(ignore))).rejects.toMatchObject({
      code: 'ARI_REFUSED',
    })
    expect(await one.ari.channels()).toEqual([])
  })

  it('(b) a REST promise never settles with the server down: it rejects at once', async () => {
    const asterisk = new FakeAri()
    await asterisk.start()
    const { ari } = await connected(asterisk)
    await asterisk.stop()
    await expect(ari.channels()).rejects.toMatchObject({ code: 'ARI_UNREACHABLE', retryable: true })
  })

  it('(b) a REST promise never settles when no answer comes: it rejects in time, and its socket is closed', async () => {
    const asterisk = await fakeAri()
    const { ari, clock } = await connected(asterisk)
    await ari.ping()
    asterisk.fault = () => 'hang'
    const [sockets, before] = [asterisk.openSockets, asterisk.requests.length]
    const asked = [ari.channels(), ari.bridges()]
    await until(() => asterisk.requests.length === before + 2)
    clock.advance(limits.ari.requestMs)
    for (const answer of asked) await expect(answer).rejects.toMatchObject({ code: 'ARI_TIMEOUT', retryable: true })
    await until(() => asterisk.openSockets < sockets)
  })

  it('(b) a connection that is cut in the middle of an answer', async () => {
    const asterisk = await fakeAri()
    const { ari } = await connected(asterisk)
    asterisk.fault = () => 'drop'
    await expect(ari.channels()).rejects.toMatchObject({ code: 'ARI_UNREACHABLE' })
  })

  it('(c) an unknown event throws inside ws and ends it: it is dropped, and the next is heard', async () => {
    const asterisk = await fakeAri()
    const { events, problems } = await connected(asterisk)
    for (const text of ['{"type":"NeverHeardOf"}', '{"type":', 'null', '[]', '']) asterisk.sendRaw(text)
    const id = asterisk.call()
    await until(() => events.length > 0)
    expect(events).toMatchObject([{ kind: 'entered', channel: id }])
    expect(new Set(problems)).toEqual(new Set(['An event from Asterisk could not be read and was dropped.']))
  })

  it('(d) it gives up after ten retries: thirty failures later the gateway is connected again', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    await asterisk.stop()
    for (let failures = 0; failures < 30; failures++) await parley.failAndBackOff()
    await asterisk.start()
    await parley.readyAgain()
    await parley.offered(asterisk.call())
  })

  it('(e) listeners on channels leak: none is set, and reconnecting leaves none behind', async () => {
    const asterisk = await fakeAri()
    const { ariClient } = copyOfAriClient()
    const client = await ariClient.connect(asterisk.url, 'parley', asterisk.password)
    for (let life = 0; life < 5; life++) {
      const events: AriEvent[] = []
      const socket = new AriSocket(client, 'parley', { ...ignore, event: event => events.push(event) })
      await socket.opened
      asterisk.call()
      await until(() => events.length > 0)
      expect([client.listenerCount('*'), client.listenerCount('pong')]).toEqual([1, 1])
      const closed = once(client._ws, 'close')
      socket.close()
      await closed
    }
    expect(client.eventNames()).toEqual([])
    expect(client._instanceListeners).toEqual({})
  })

  it('(f) a wrong password throws an uncaught string: it rejects, naming the settings', async () => {
    const asterisk = await fakeAri()
    const { ari } = await adapter(asterisk, 'wrong')
    const refused = ari.connect(ignore)
    await expect(refused).rejects.toMatchObject({ code: 'ARI_REFUSED' })
    await expect(refused).rejects.toThrow(/ARI_USERNAME and ARI_PASSWORD/)
  })

  it.each([
    ['resources.json', { status: 500 }],
    ['bridges.json', { status: 404 }],
    ['resources.json', 'garbage'],
    ['channels.json', 'garbage'],
    ['events.json', 'drop'],
  ] as const)(
    '(f) an API that cannot be read (%s, %o) throws where nobody catches: it rejects',
    async (file, fault) => {
      const asterisk = await fakeAri()
      const { ari } = await adapter(asterisk)
      asterisk.fault = ({ path }) => (path === `/api-docs/${file}` ? fault : undefined)
      await expect(ari.connect(ignore)).rejects.toMatchObject({
        code: expect.stringMatching(/^ARI_(REJECTED|UNREACH)/),
      })
      asterisk.fault = () => undefined
      await (await ari.connect(ignore)).ping()
    },
  )

  it('(g) errors carry no status: a channel that is gone, a refusal and a broken answer are told apart', async () => {
    const asterisk = await fakeAri()
    const { ari } = await connected(asterisk)
    await expect(ari.answer('nobody')).rejects.toMatchObject({ code: 'CHANNEL_GONE', status: 404 })
    const id = asterisk.call()
    asterisk.takeBack(id)
    await expect(ari.answer(id)).rejects.toMatchObject({ code: 'CHANNEL_GONE', status: 409 })
    asterisk.fault = () => ({ status: 503 })
    const rejected = ari.createBridge('parley:bridge:1')
    await expect(rejected).rejects.toMatchObject({ code: 'ARI_REJECTED', status: 503 })
    await expect(rejected).rejects.toThrow('Asterisk rejected bridges.createWithId: 503 Injected')
    asterisk.fault = () => 'garbage'
    await expect(ari.channels()).rejects.toMatchObject({ code: 'ARI_REJECTED', status: 200 })
  })

  it('(g) there is no ping: the events socket answers one, and a frozen Asterisk does not', async () => {
    const asterisk = await fakeAri()
    const { connection } = await connected(asterisk)
    await connection.ping()
    asterisk.freeze()
    const settled = vi.fn()
    void connection.ping().then(settled)
    await new VirtualClock().settle()
    expect(settled).not.toHaveBeenCalled()
    asterisk.thaw()
    await until(() => settled.mock.calls.length > 0)
  })

  it('prints nothing', async () => {
    const printed = [vi.spyOn(console, 'log'), vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]
    const { ari } = await connected(await fakeAri())
    await ari.ping()
    expect(printed.map(spy => spy.mock.calls)).toEqual([[], [], []])
    vi.restoreAllMocks()
  })
})

describe('connecting', () => {
  it('to a frozen Asterisk fails in time, again and again, and leaves no socket behind', async () => {
    const asterisk = await fakeAri()
    const { ari, clock } = await adapter(asterisk)
    asterisk.freeze()
    for (let attempt = 0; attempt < 3; attempt++) {
      const connecting = ari.connect(ignore)
      await until(() => asterisk.openSockets === 1)
      clock.advance(limits.ari.requestMs)
      await expect(connecting).rejects.toMatchObject({ code: 'ARI_TIMEOUT' })
      await until(() => asterisk.openSockets === 0)
    }
  })

  it('of the events socket has its own time limit', async () => {
    const asterisk = await fakeAri()
    const { ari, clock, connection } = await connected(asterisk)
    connection.close()
    await until(() => asterisk.applications.length === 0)
    asterisk.freeze()
    const connecting = ari.connect(ignore)
    clock.advance(limits.ari.requestMs)
    await expect(connecting).rejects.toMatchObject({ code: 'ARI_TIMEOUT' })
  })

  it('with a password that was changed meanwhile is refused in words', async () => {
    const asterisk = await fakeAri()
    const { ari, connection } = await connected(asterisk)
    connection.close()
    asterisk.password = 'changed'
    await expect(ari.connect(ignore)).rejects.toMatchObject({ code: 'ARI_REFUSED' })
  })
})

describe('events', () => {
  it('come only if they are acted on: Asterisk is told which', async () => {
    const asterisk = await fakeAri()
    const { events } = await connected(asterisk)
    const [request] = asterisk.requests.filter(({ path }) => path === '/applications/parley/eventFilter')
    expect(request?.body).toEqual({ allowed: eventTypes.map(type => ({ type })) })
    const id = asterisk.call()
    asterisk.tell(id, 'ChannelVarset', { variable: 'x' })
    asterisk.tell(id, 'ChannelHold')
    await until(() => events.length === 2)
    expect(events.map(event => event.kind)).toEqual(['entered', 'held'])
  })
})

describe('many requests at once', () => {
  it('share a bounded number of connections, and are all answered', async () => {
    const asterisk = await fakeAri()
    const { ari } = await connected(asterisk)
    let most = 0
    asterisk.afterRequest = () => {
      most = Math.max(most, asterisk.openSockets)
    }
    await Promise.all(Array.from({ length: 300 }, () => ari.channels()))
    // Beside them the events socket, and the one that read the API.
    expect(most).toBeLessThanOrEqual(limits.ari.requestsAtOnce + 2)
  })
})

describe('an answer', () => {
  it('that is binary comes to the byte', async () => {
    const asterisk = await fakeAri()
    const { ari } = await connected(asterisk)
    const file = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) & 0xff))
    asterisk.recordings.set('voicemail-1-2-3', file)
    expect(Buffer.compare(Buffer.from(await ari.fetchRecording('voicemail-1-2-3')), file)).toBe(0)
  })

  it('that says a variable is not set is nothing, and one that the channel is gone an error', async () => {
    const asterisk = await fakeAri()
    const { ari } = await connected(asterisk)
    const id = asterisk.call()
    expect(await ari.variables(id, ['PARLEY_USER', 'NONE'])).toBeUndefined()
    expect(await ari.variables(id, ['PARLEY_USER', 'PARLEY_HEADERS'])).toEqual({
      PARLEY_USER: 'bianca',
      PARLEY_HEADERS: '',
    })
    await expect(ari.variables('nobody', ['PARLEY_USER'])).rejects.toMatchObject({ code: 'CHANNEL_GONE' })
  })

  it('that what is to be removed is not there is good news', async () => {
    const { ari } = await connected(await fakeAri())
    await ari.hangup('nobody', 'normal')
    await ari.destroyBridge('none')
    await ari.deleteRecording('none')
  })

  it('never carries a secret or an address into an error', async () => {
    const asterisk = await fakeAri('a-secret-password')
    const { ari } = await connected(asterisk)
    const errors = await Promise.all(
      (['drop', 'garbage', { status: 500 }] as const).map(fault => {
        asterisk.fault = () => fault
        return ari.channels().catch(error => error)
      }),
    )
    for (const error of errors) expect(JSON.stringify([error.message, error.stack, error])).not.toMatch(/secret|http:/)
  })
})
