import { expect, it } from 'vitest'
import type { HookAnswer } from '../../src/desk/hooks.ts'
import { hookSender } from '../../src/notifiers/hook.ts'
import { reachOf } from '../../src/tools/reach.ts'
import { HookServer, signatureOf } from '../support/hook-server.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const secret = 'a secret of this integrator'
const never = new AbortController().signal

function sender(value: string, allowed: readonly string[] = ['127.0.0.0/8'], startMs?: number) {
  const clock = new VirtualClock(startMs)
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
  const send = hookSender({ clock, resolve, reach: reachOf(allowed), secrets: { TOOL_CRM: value } })
  const deliver = (url: string, id = 'msg_1', body = '{"type":"call.ended"}'): Promise<HookAnswer> =>
    send({ id, url, secret: 'TOOL_CRM', body }, never)
  return { clock, deliver, nowSeconds: () => Math.floor(clock.wallMs() / 1_000) }
}

it('is believed by whoever looks at the signature for themselves', async () => {
  const { deliver, nowSeconds } = sender(secret)
  await using server = await HookServer.start(secret, nowSeconds)
  expect(await deliver(server.url)).toEqual({ kind: 'taken', status: 204 })
  expect(server.taken).toMatchObject([{ id: 'msg_1', event: 'call.ended', atSeconds: nowSeconds() }])
  expect(server.forged).toEqual([])
})

it('is signed by both secrets while one is changed, so that either is believed', async () => {
  const next = `whsec_${Buffer.from('the secret that comes after it').toString('base64')}`
  const { deliver, nowSeconds } = sender(`${secret}, ${next}`)
  for (const known of [secret, next]) {
    await using server = await HookServer.start(known, nowSeconds)
    expect(await deliver(server.url)).toEqual({ kind: 'taken', status: 204 })
  }
  await using stranger = await HookServer.start('another secret altogether', nowSeconds)
  expect(await deliver(stranger.url)).toMatchObject({ kind: 'refused', status: 401, hopeless: false })
})

it('is not sent without a secret that is one', async () => {
  const { deliver } = sender('too short')
  expect(await deliver('http://127.0.0.1:1/hook')).toEqual({
    ...{ kind: 'refused', status: undefined, hopeless: true },
    why: 'TOOL_CRM holds no secret of at least 24 characters',
  })
})

it('tells what came of it in words of its own, and what would never help', async () => {
  const { deliver, nowSeconds } = sender(secret)
  await using server = await HookServer.start(secret, nowSeconds)
  server.plan(503, 410, 302, 'reset', 'lost')
  expect(await deliver(server.url)).toMatchObject({ status: 503, why: 'it answered 503', hopeless: false })
  expect(await deliver(server.url)).toMatchObject({ status: 410, why: 'it answered 410', hopeless: true })
  expect(await deliver(server.url)).toMatchObject({ status: 302, why: 'it answered 302', hopeless: false })
  expect(await deliver(server.url)).toMatchObject({ why: 'the connection failed (ECONNRESET)', hopeless: false })
  expect(await deliver(server.url)).toMatchObject({ why: 'the connection failed (ECONNRESET)', hopeless: false })
  expect(server.taken).toHaveLength(1)
})

it.each([
  'http://127.0.0.1:9/',
  'http://localhost:9/',
  'http://10.1.2.3/',
  'http://169.254.169.254/latest/meta-data',
  'http://[::1]:9/',
  'http://[::ffff:127.0.0.1]:9/',
  'http://[fd00::1]/',
  'http://0x7f000001/',
  'http://2130706433/',
])('does not reach %s unless that was allowed', async url => {
  const { deliver } = sender(secret, [])
  expect(await deliver(url)).toMatchObject({ kind: 'refused', hopeless: true, why: expect.stringContaining('private') })
})

it('is what the published example of the specification says', async () => {
  const key = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const seconds = 1_614_265_330
  const { deliver } = sender(key, ['127.0.0.0/8'], seconds * 1_000)
  await using server = await HookServer.start(key, () => seconds)
  const body = '{"test": 2432232314}'
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
  // The server believes nothing but this signature.
  expect(await signatureOf(key, `${id}.${seconds}.${body}`)).toBe('g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  expect(await deliver(server.url, id, body)).toMatchObject({ kind: 'taken' })
})
