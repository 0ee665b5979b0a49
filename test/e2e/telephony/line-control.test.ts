import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { segments } from '../../../src/caller/tones.ts'
import { freePort } from '../../support/asterisk.ts'
import { type Pbx, pbxHz, startPbx } from '../../support/pbx.ts'
import { Exchange, type Running } from './exchange.ts'
import { asteriskWith, callerHz, dial, everythingIsGone, hear, liveCaller } from './transfer-scene.ts'

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/tls', name)
const certificate = fixture('certificate.pem')
const key = fixture('key.pem')

let pbx: Pbx
let running: Running
let impostor: Awaited<ReturnType<typeof impostorOf>>

beforeAll(async () => {
  ;[pbx, impostor] = await Promise.all([startPbx(), impostorOf()])
  const tls = { port: await freePort(), certificate, key, authorities: fixture('another.pem') }
  running = await asteriskWith(pbx, { tls, destinations: { impostor: impostor.outlet } })
})

afterAll(async () => {
  await running[Symbol.asyncDispose]()
  await pbx[Symbol.asyncDispose]()
  impostor.close()
})

/** Speaks TLS with a certificate that nobody whom we trust has signed. */
async function impostorOf() {
  const heard: string[] = []
  let greeted = 0
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, socket => {
    socket.on('error', () => {})
    socket.on('data', data => heard.push(String(data)))
  })
  server.on('connection', () => {
    greeted += 1
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const outlet = { host: '127.0.0.1', port, transport: 'tls' } as const
  return { outlet, heard, greeted: () => greeted, close: () => server.close() }
}

it('a caller whose INVITE describes no sound is heard and transferred', async () => {
  await using exchange = await Exchange.open(running)
  const { call, leg } = await liveCaller(exchange, 'ulaw', { lateOffer: true })
  const far = await dial(exchange, leg, '2000')
  const phone = await pbx.phone.nextCall()
  await far.tells('answered')
  expect(await leg.join(far.dialled)).toBe('joined')
  await Promise.all([hear(call, pbxHz.phone), hear(phone, callerHz)])
  await phone.hangup()
  await exchange.gone(leg)
  await everythingIsGone(exchange, pbx)
})

const durationMs = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => toMs - fromMs

it('a destination whose certificate nobody trusted has signed is not called, and the caller hears the line all the time', async () => {
  await using exchange = await Exchange.open(running)
  const { call, leg } = await liveCaller(exchange)
  const far = await dial(exchange, leg, '2000', 'impostor')
  expect(await far.tells('ended')).toMatchObject({ kind: 'ended', why: 'unreachable' })
  expect(impostor.greeted()).toBeGreaterThan(0)
  expect(impostor.heard).toEqual([])
  await hear(call, callerHz)
  expect(segments(call.heard(), [callerHz]).filter(({ sound }) => sound === 'silence').length).toBeLessThan(2)
  await call.hangup()
  await exchange.gone(leg)
  await everythingIsGone(exchange, pbx)
})

it('a far end that rings after a sound of its own is heard in both, and then connected', async () => {
  await using exchange = await Exchange.open(running)
  const { call, leg } = await liveCaller(exchange)
  const far = await dial(exchange, leg, '2018')
  await far.tells('ownSound')
  await leg.letHear(far.dialled)
  await hear(call, pbxHz.early)
  await far.tells('answered')
  expect(far.told.map(({ kind }) => kind)).toEqual(['ownSound', 'answered'])
  expect(await leg.join(far.dialled)).toBe('joined')
  await hear(call, pbxHz.lateTone)
  const heard = segments(call.heard(), [pbxHz.early, pbxHz.lateTone])
  const early = heard.findLastIndex(({ hz }) => hz === pbxHz.early)
  const between = heard.slice(
    early + 1,
    heard.findIndex(({ hz }) => hz === pbxHz.lateTone),
  )
  const lasting = (sound: 'other' | 'silence') => between.filter(each => each.sound === sound).map(durationMs)
  expect(Math.max(...lasting('other'))).toBeGreaterThan(500)
  expect(Math.max(0, ...lasting('silence'))).toBeLessThan(100)
  await call.hangup()
  await exchange.gone(leg)
  await everythingIsGone(exchange, pbx)
})
