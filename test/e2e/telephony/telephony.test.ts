import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toneGenerator } from '../../../src/media/tone.ts'
import { operations } from '../../support/fake-ari-docs.ts'
import { Exchange, echoLine, type Running, testAsterisk } from './exchange.ts'

let running: Running

beforeAll(async () => {
  running = await testAsterisk()
})

afterAll(() => running[Symbol.asyncDispose]())

const tone = (hz: number, ms: number) => toneGenerator(8_000, hz, -12)(new Int16Array(8 * ms))

describe('a caller', () => {
  it.each(['ulaw', 'alaw'] as const)('in %s is offered, joined without recoding, answered and heard', async law => {
    await using exchange = await Exchange.open(running)
    const parameters = { callSid: 'CA1', patientId: 'a b;c' }
    const headers = { 'X-Twilio-CallSid': 'CA1', 'X-Note': 'one & two, três (x)' }
    const call = await exchange.dial({ laws: [law], from: '+15550001', parameters, headers })
    const leg = await exchange.offered()
    expect(leg.takenOver).toBe(false)
    expect(leg.facts).toMatchObject({
      calledUser: 'bianca',
      callerNumber: '+15550001',
      law,
      parameters,
      headers: { 'x-twilio-callsid': 'CA1', 'x-note': 'one & two, três (x)' },
    })
    await using echo = await echoLine(law)
    const { bridge, channel } = await leg.connect(echo.line)
    const { bridges } = await exchange.telephony.inspect()
    expect(bridges).toEqual([
      { id: bridge, technology: 'simple_bridge', channels: expect.arrayContaining([leg.id, channel]), call: leg.id },
    ])
    await leg.answer()
    expect(await call.answered).toMatchObject({ kind: 'answered' })
    void call.play(tone(700, 800))
    await call.hearsTone(700, { forMs: 500 })
    await call.digits('4#')
    await exchange.until(() => exchange.events.get(leg.id)?.length === 2)
    expect(exchange.events.get(leg.id)).toEqual([
      { kind: 'digit', digit: '4', heldMs: 100 },
      { kind: 'digit', digit: '#', heldMs: 100 },
    ])
    await call.hangup()
    expect(await exchange.gone(leg)).toBe('hung up')
    await leg.close()
    await exchange.has()
    expect(exchange.troubles).toEqual([])
  })

  it.each([
    ['normal', 603],
    ['busy', 486],
    ['congestion', 503],
    ['noAnswer', 480],
    ['rejected', 403],
  ] as const)('is refused with %s: %i', async (cause, status) => {
    await using exchange = await Exchange.open(running)
    const call = await exchange.dial()
    const leg = await exchange.offered()
    await leg.hangup(cause)
    await leg.close()
    expect(await call.answered).toMatchObject({ kind: 'refused', status })
    await exchange.gone(leg)
  })

  it('is handed back to the fallback, which serves them', async () => {
    await using exchange = await Exchange.open(running)
    const call = await exchange.dial()
    const leg = await exchange.offered()
    await using echo = await echoLine(leg.facts.law)
    await leg.connect(echo.line)
    await leg.answer()
    await leg.handBack('agent failed')
    expect(await exchange.gone(leg)).toBe('left the application')
    await leg.close()
    await exchange.has(leg.id)
    await call.hangup()
  })

  it('keeps the lease for as long as the gateway lives', async () => {
    await using exchange = await Exchange.open(running)
    const call = await exchange.dial()
    const leg = await exchange.offered()
    let renewals = 0
    exchange.proxy.beforeRequest = (method, path) => {
      if (method === 'POST' && path === `/channels/${leg.id}/variables`) renewals++
    }
    await leg.answer()
    // Three a lease: the fourth comes after the first one would have run out.
    await exchange.until(() => renewals === 4)
    expect(exchange.events.get(leg.id)).toEqual([])
    await leg.hangup('normal')
    expect(await call.ended).toMatchObject({ by: 'callee', how: 'bye' })
  })
})

describe('the link', () => {
  it('that is cut in mid-call is back at once, and the call goes on', async () => {
    await using exchange = await Exchange.open(running)
    const call = await exchange.dial()
    const leg = await exchange.offered()
    await using echo = await echoLine(leg.facts.law)
    await leg.connect(echo.line)
    await leg.answer()
    await call.answered
    exchange.proxy.cutEvents()
    await exchange.until(() => exchange.states.length === 3)
    expect(exchange.states).toEqual([true, false, true])
    await call.digits('9')
    await exchange.until(() => exchange.events.get(leg.id)?.length === 1)
    void call.play(tone(500, 800))
    await call.hearsTone(500, { forMs: 400 })
    await call.hangup()
    await exchange.gone(leg)
  })

  it('finds an Asterisk that is frozen, and is back when it goes on', async () => {
    await using exchange = await Exchange.open(running)
    process.kill(running.asterisk.pid!, 'SIGSTOP')
    try {
      await exchange.until(() => exchange.states.at(-1) === false)
    } finally {
      process.kill(running.asterisk.pid!, 'SIGCONT')
    }
    await exchange.until(() => exchange.states.at(-1) === true)
    expect(exchange.troubles.map(({ code }) => code)).toContain('ARI_TIMEOUT')
  })

  it('steps down for a second gateway, which takes the call over and can be heard', async () => {
    await using first = await Exchange.open(running)
    const call = await first.dial()
    const leg = await first.offered()
    await using before = await echoLine(leg.facts.law)
    await leg.connect(before.line)
    await leg.answer()
    await call.answered
    await using second = await Exchange.open(running)
    expect(await first.gone(leg)).toBe('taken over by another gateway')
    expect(first.telephony.ready).toBe(false)
    const taken = await second.offered()
    expect([taken.id, taken.takenOver, taken.facts]).toEqual([leg.id, true, leg.facts])
    await using after = await echoLine(taken.facts.law)
    await taken.connect(after.line)
    void call.play(tone(900, 800))
    await call.hearsTone(900, { forMs: 400 })
    await leg.close()
    await call.hangup()
    await second.gone(taken)
    await taken.close()
    await second.has()
  })
})

describe('a caller who hangs up just before a request of the set-up', () => {
  it('leaves nothing behind, whichever request it is', async () => {
    await using exchange = await Exchange.open(running)
    const isOfSetUp = (method: string, path: string) =>
      (method === 'POST' && !path.includes('variables')) || path.includes('/variables?')
    for (let step = 0; step < 5; step++) {
      let seen = 0
      const dialled = Promise.withResolvers<Awaited<ReturnType<typeof exchange.dial>>>()
      exchange.proxy.beforeRequest = async (method, path) => {
        if (!isOfSetUp(method, path) || seen++ !== step) return
        await (await dialled.promise).hangup()
      }
      const offers = exchange.legs.length
      const call = await exchange.dial()
      dialled.resolve(call)
      if (step > 0) {
        const leg = await exchange.offered(offers + 1)
        await using echo = await echoLine(leg.facts.law)
        await leg
          .connect(echo.line)
          .then(() => leg.answer())
          .catch(() => {})
        await exchange.gone(leg)
        await leg.close()
      }
      expect(await call.ended).toMatchObject({ by: 'caller' })
      await exchange.until(() => seen > step)
      await exchange.has()
    }
    expect(exchange.troubles).toEqual([])
  })
})

describe('a voicemail that the fallback has recorded', () => {
  it('is fetched to the byte, and its file goes', async () => {
    const folder = join(running.settings.directory, 'spool/recording')
    const name = 'voicemail-1795226333-+15550001-test-1.2'
    const audio = randomBytes(100_000)
    await writeFile(join(folder, `${name}.wav`), audio)
    await using exchange = await Exchange.open(running)
    await exchange.until(() => exchange.voicemails.size > 0)
    expect([...exchange.voicemails.keys()]).toEqual([name])
    expect(Buffer.compare(exchange.voicemails.get(name)!, audio)).toBe(0)
    expect(await readdir(folder)).toEqual([])
  })
})

describe("the fake ARI's description", () => {
  it('is part of the real one', async () => {
    const { port, username, password } = running.settings.ari
    const authorization = `Basic ${btoa(`${username}:${password}`)}`
    for (const [resource, described] of Object.entries(operations)) {
      const response = await fetch(`http://127.0.0.1:${port}/ari/api-docs/${resource}.json`, {
        headers: { authorization },
      })
      const real = (await response.json()) as { apis: RealApi[] }
      for (const [nickname, { method, path, query = [], body, answer = 'void' }] of Object.entries(described)) {
        const api = real.apis.find(each => each.path === path)
        const operation = api?.operations.find(each => each.nickname === nickname)
        expect(operation).toMatchObject({ httpMethod: method, responseClass: answer })
        const names = operation?.parameters?.map(({ name, paramType }) => `${paramType} ${name}`) ?? []
        const used = [...query.map(name => `query ${name}`), ...(body ? [`body ${body}`] : [])]
        expect(names).toEqual(expect.arrayContaining(used))
      }
    }
  })
})

interface RealApi {
  readonly path: string
  readonly operations: {
    readonly nickname: string
    readonly httpMethod: string
    readonly responseClass: string
    readonly parameters?: { readonly name: string; readonly paramType: string }[]
  }[]
}
