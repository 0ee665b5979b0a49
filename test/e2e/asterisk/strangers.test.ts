import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Call, placeCall } from '../../../src/caller/call.ts'
import { every, pause, systemClock } from '../../../src/clock.ts'
import { Wheel } from '../../../src/media/wheel.ts'
import { startTestAsterisk } from '../../support/asterisk.ts'
import { seeded } from '../../support/random.ts'
import { TestAri } from './ari.ts'
import { rawCall } from './raw-call.ts'

const trunkAddress = '127.0.0.4'
const strangersAddress = '127.0.0.2'
/** A-law and mu-law alike: no caller of these tests sends it. */
const STRANGERS_SOUND = 0x55
const wheel = new Wheel(systemClock)

let running: Awaited<ReturnType<typeof startTestAsterisk>>
beforeAll(async () => {
  const networks = [`${trunkAddress}/32`]
  running = await startTestAsterisk({}, { trunk: { signalling: networks, media: networks } })
})
afterAll(() => running[Symbol.asyncDispose]())

/** Asks again and again; the test's own time limit ends a wait in vain. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(systemClock, 20)
}

const log = () => readFileSync(join(running.settings.directory, 'log/messages.log'), 'utf8')

/** A call from the trunk, answered. */
async function callOfTrunk(gateway: TestAri, transport: 'tcp' | 'udp', prepare: (call: Call) => void = () => {}) {
  const target = { address: '127.0.0.1', port: running.settings.tcpPort }
  const deps = { clock: systemClock, wheel, random: seeded(1) }
  const call = await placeCall(deps, { target, transport, user: 'bianca', localAddress: trunkAddress })
  prepare(call)
  const id = (await gateway.event('StasisStart')).channel?.id ?? ''
  await gateway.request('POST', `/channels/${id}/answer`)
  const answer = await call.answered
  if (answer.kind !== 'answered') throw new Error(`the call was not answered: ${answer.kind}`)
  return { call, id, port: answer.audio.port }
}

/** Sends sound of its own, as fast as sound is spoken, to whoever has this port. */
async function openStranger(port: number) {
  const socket = createSocket('udp4').bind(0, strangersAddress)
  await once(socket, 'listening')
  const packet = Buffer.alloc(172, STRANGERS_SOUND)
  packet.writeUInt16BE(0x8000, 0)
  const figures = { sent: 0, received: 0 }
  socket.on('message', () => figures.received++)
  const stop = every(systemClock, 20, () => {
    packet.writeUInt16BE(figures.sent & 0xffff, 2)
    packet.writeUInt32BE(figures.sent++ * 160, 4)
    socket.send(packet, port, '127.0.0.1')
  })
  return {
    figures,
    [Symbol.dispose]() {
      stop()
      socket.close()
    },
  }
}

/** Where the gateway would hear the call: of each packet its first sample. */
async function hear(gateway: TestAri, caller: string) {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const heard: number[] = []
  socket.on('message', packet => heard.push(packet[12] ?? 0))
  const host = `127.0.0.1:${socket.address().port}`
  const { app } = running.settings.ari
  const path = `/channels/externalMedia?app=${app}&channelId=media&external_host=${host}&format=ulaw`
  await gateway.request('POST', path)
  await gateway.event('StasisStart')
  await gateway.request('POST', '/bridges/between?type=mixing')
  await gateway.request('POST', `/bridges/between/addChannel?channel=${caller},media`)
  return {
    heard,
    async [Symbol.asyncDispose]() {
      await gateway.request('DELETE', '/channels/media')
      await gateway.request('DELETE', '/bridges/between')
      socket.close()
    },
  }
}

test("a trunk's sound goes to where the trunk says, whoever else sends sound to its port", async () => {
  await using gateway = await new TestAri(running.settings).connect('gateway')
  const { call, id, port } = await callOfTrunk(gateway, 'tcp', each => each.mute())
  using stranger = await openStranger(port)
  await gateway.request('POST', `/channels/${id}/play?media=tone:ring`)
  let frames = 0
  call.onFrame(() => frames++)
  await until(() => frames > 75 && stranger.figures.sent > 75)
  expect(stranger.figures.received).toBe(0)
  await call.hangup()
})

test("a stranger's sound is heard by nobody once the caller's own has come", async () => {
  await using gateway = await new TestAri(running.settings).connect('gateway')
  const { call, id, port } = await callOfTrunk(gateway, 'tcp', each => each.mute())
  await using way = await hear(gateway, id)
  using stranger = await openStranger(port)
  await until(() => way.heard.length > 10)
  call.unmute()
  await until(() => way.heard.at(-1) !== STRANGERS_SOUND)
  way.heard.length = 0
  stranger.figures.sent = 0
  await until(() => way.heard.length > 50)
  expect(stranger.figures.sent).toBeGreaterThan(25)
  expect(way.heard).not.toContain(STRANGERS_SOUND)
  await call.hangup()
})

test.each(['tcp', 'udp'] as const)('a call that came over %s is ended the same way', async transport => {
  await using gateway = await new TestAri(running.settings).connect('gateway')
  const { call, id } = await callOfTrunk(gateway, transport)
  await gateway.request('DELETE', `/channels/${id}`)
  expect(await call.ended).toMatchObject({ by: 'callee', how: 'bye' })
})

test('what a stranger sends to the SIP port is no news', async () => {
  const before = log()
  const socket = createSocket('udp4').bind(0, strangersAddress)
  await once(socket, 'listening')
  const junk = [
    'junk',
    'INVITE sip:',
    'OPTIONS sip:a SIP/2.0\r\n\r\n',
    `INVITE sip:a SIP/2.0\r\nX: ${'x'.repeat(9_000)}`,
  ]
  for (let round = 0; round < 25; round++) {
    for (const text of junk) socket.send(`${text}\r\n\r\n`, running.settings.udpPort, '127.0.0.1')
  }
  expect((await rawCall({ port: running.settings.tcpPort, from: trunkAddress, user: 'nobody' })).status).toBe(404)
  expect(log()).toBe(before)
  socket.close()
})
