import { randomUUID } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Call, placeCall } from '../../../src/caller/call.ts'
import type { IncomingCall } from '../../../src/caller/incoming-call.ts'
import { Phone } from '../../../src/caller/phone.ts'
import { systemClock } from '../../../src/clock.ts'
import { Wheel } from '../../../src/media/wheel.ts'
import { Scope } from '../../../src/scope.ts'
import { readTrunkAddresses } from '../../../src/telephony/asterisk/addresses.ts'
import { type Destination, dialString, endpointName, type Outlet } from '../../../src/telephony/asterisk/destination.ts'
import { LiveDestinations } from '../../../src/telephony/asterisk/live-destinations.ts'
import { endpointsInUse, reloadDestinations } from '../../../src/telephony/asterisk/reload.ts'
import { freePort, startTestAsterisk } from '../../support/asterisk.ts'
import { type Pbx, pbxAccess, pbxHz, startPbx } from '../../support/pbx.ts'
import { seeded } from '../../support/random.ts'
import { TestAri } from './ari.ts'
import { rawCall } from './raw-call.ts'

const deps = { clock: systemClock, wheel: new Wheel(systemClock), random: seeded(3) }
const callerHz = 440

let pbx: Pbx
beforeAll(async () => {
  pbx = await startPbx()
})
afterAll(() => pbx[Symbol.asyncDispose]())

/** An Asterisk of ours whose destinations are changed while it runs. */
async function house(overrides: Parameters<typeof startTestAsterisk>[0] = {}) {
  const running = await startTestAsterisk(overrides)
  const { settings, asterisk } = running
  const scope = new Scope('destinations', () => {})
  const troubles: string[] = []
  let wanted: readonly Outlet[] = []
  const ari = { url: `http://127.0.0.1:${settings.ari.port}`, ...settings.ari }
  const live = new LiveDestinations({
    settings,
    trunk: readTrunkAddresses(),
    clock: systemClock,
    scope,
    wanted: () => Object.fromEntries(wanted.map(each => [endpointName(each), each])),
    write: files => asterisk.rewrite(files),
    reload: names => reloadDestinations(ari, names),
    inUse: () => endpointsInUse(ari),
    told: () => {},
    trouble: text => troubles.push(text),
  })
  const gateway = await new TestAri(settings).connect('gateway')
  return {
    settings,
    gateway,
    troubles,
    change(...outlets: Outlet[]) {
      wanted = outlets
      return live.look()
    },
    log: () => readFileSync(join(settings.directory, 'log/messages.log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await scope.close()
      await running[Symbol.asyncDispose]()
    },
  }
}

type House = Awaited<ReturnType<typeof house>>

function at(
  user: string,
  outlet: Outlet = { host: pbx.settings.bindAddress, port: pbx.settings.udpPort, transport: 'udp' },
) {
  return { ...outlet, user } satisfies Destination
}

/** A caller who hums, is answered, and is in a bridge. */
async function caller({ settings, gateway }: House): Promise<{ call: Call; id: string; bridge: string }> {
  const target = { address: '127.0.0.1', port: settings.tcpPort }
  const call = await placeCall(deps, { target, transport: 'tcp', user: settings.sipUser })
  call.hum(callerHz)
  const id = (await gateway.event('StasisStart', event => event.args?.[0] === 'inbound')).channel?.id ?? ''
  await gateway.request('POST', `/channels/${id}/answer`)
  await call.answered
  const bridge = randomUUID()
  await gateway.request('POST', `/bridges/${bridge}?type=mixing`)
  await gateway.request('POST', `/bridges/${bridge}/addChannel?channel=${id}`)
  return { call, id, bridge }
}

/** As the gateway does: created, told what it shows, put into a bridge, dialled. */
async function dial({ gateway }: House, destination: Destination, shown: Record<string, string> = {}): Promise<string> {
  const id = randomUUID()
  const endpoint = encodeURIComponent(dialString(destination))
  await gateway.request('POST', `/channels/create?endpoint=${endpoint}&app=parley&channelId=${id}`)
  await gateway.event('StasisStart', event => event.channel?.id === id)
  for (const [name, value] of Object.entries(shown)) {
    const query = `variable=${encodeURIComponent(name)}&value=${encodeURIComponent(value)}`
    await gateway.request('POST', `/channels/${id}/variable?${query}`)
  }
  await gateway.request('POST', `/bridges/${id}?type=mixing`)
  await gateway.request('POST', `/bridges/${id}/addChannel?channel=${id}`)
  expect(await gateway.request('POST', `/channels/${id}/dial?timeout=20`)).toMatchObject({ status: 204 })
  return id
}

/** Both hear each other. */
async function talk(
  house: House,
  one: { call: Call; bridge: string },
  channel: string,
  other: IncomingCall,
  hz: number,
) {
  await house.gateway.request('POST', `/bridges/${channel}/removeChannel?channel=${channel}`)
  await house.gateway.request('POST', `/bridges/${one.bridge}/addChannel?channel=${channel}`)
  await Promise.all([one.call.hearsTone(hz, { forMs: 200 }), other.hearsTone(callerHz, { forMs: 200 })])
}

test('one that is added while a call goes on is reached and known, one that is taken away is not, and the call is not touched', async () => {
  await using ours = await house()
  const { settings, gateway } = ours
  const first = await caller(ours)
  const second = await caller(ours)
  await gateway.request('POST', `/bridges/${first.bridge}/addChannel?channel=${second.id}`)
  await first.call.hearsTone(callerHz, { forMs: 200 })
  const fromPbx = async () => (await rawCall({ port: settings.tcpPort, from: pbx.settings.bindAddress })).status
  expect(await fromPbx()).toBe(403)

  const desk = at('2000')
  await ours.change(desk)
  expect(ours.troubles).toEqual([])
  expect(await fromPbx()).toBe(404)
  const channel = await dial(ours, desk)
  const phone = await pbx.phone.nextCall()
  const third = await caller(ours)
  await talk(ours, third, channel, phone, pbxHz.phone)

  // It goes when its call is over: until then it must be able to hang up.
  await ours.change()
  expect(await fromPbx()).toBe(404)
  // In either call everybody still hears everybody.
  await Promise.all([
    first.call.hearsTone(callerHz, { forMs: 200 }),
    second.call.hearsTone(callerHz, { forMs: 200 }),
    third.call.hearsTone(pbxHz.phone, { forMs: 200 }),
    phone.hearsTone(callerHz, { forMs: 200 }),
  ])
  const holes = [first.call, second.call].flatMap(call => call.gaps()).filter(({ fromMs, toMs }) => toMs - fromMs > 60)
  expect(holes).toEqual([])
  await phone.hangup()
  await gateway.event('StasisEnd', event => event.channel?.id === channel)
  await ours.change()
  expect(await fromPbx()).toBe(403)
  for (const { call } of [first, second, third]) await call.hangup()
  expect(
    ours
      .log()
      .split('\n')
      .filter(line => /ERROR|WARNING/.test(line) && !line.includes('did not pass ACL test')),
  ).toEqual([])
  expect(ours.troubles).toEqual([])
})

test.each(['udp', 'tcp'] as const)(
  'one over %s that asks for a password is given it, and nobody else reads it',
  async transport => {
    await using ours = await house()
    const outlet = { host: pbx.settings.bindAddress, port: pbx.settings.udpPort, transport }
    const right = { ...outlet, login: { ...pbxAccess, variable: 'SIP_RIGHT_PASSWORD' } }
    const wrong = { ...outlet, login: { ...pbxAccess, password: 'guessed', variable: 'SIP_WRONG_PASSWORD' } }
    await ours.change(right, wrong)
    expect(ours.troubles).toEqual([])
    const channel = await dial(ours, at('3000', right))
    const phone = await pbx.phone.nextCall()
    await talk(ours, await caller(ours), channel, phone, pbxHz.phone)
    await phone.hangup()
    const refused = await dial(ours, at('3000', wrong))
    await ours.gateway.event('ChannelDestroyed', event => event.channel?.id === refused)
    expect(pbx.phone.calls).toEqual([])
    expect(ours.log()).not.toContain(pbxAccess.password)
    const file = join(ours.settings.directory, 'etc/pjsip_destinations.conf')
    expect(readFileSync(file, 'utf8')).toContain(`password = ${pbxAccess.password}`)
    expect(statSync(file).mode & 0o077).toBe(0)
  },
)

test.concurrent('what the far end is shown: the number in From and P-Asserted-Identity, and the headers', async () => {
  await using ours = await house()
  await using trunk = await Phone.open(deps, { address: '127.77.1.1' })
  const outlet = { host: trunk.address.address, port: trunk.address.port, transport: 'tcp' } as const
  await ours.change(outlet)
  const channel = await dial(ours, at('+15551234567', outlet), {
    'CONNECTEDLINE(num,i)': '+15550100200',
    'CONNECTEDLINE(name,i)': 'Harbour Dental',
    'PJSIP_HEADER(add,X-Parley-Call)': 'parley-1.2',
    'PJSIP_HEADER(add,X-Parley-Reason)': 'A tooth; it aches, since "yesterday"',
  })
  const call = await trunk.nextCall()
  expect(call.invite.uri).toMatch(/^sip:\+15551234567@127\.77\.1\.1:\d+/)
  expect(call.header('From')).toMatch(/^"Harbour Dental" <sip:\+15550100200@[0-9.]+(:\d+)?>;tag=/)
  expect(call.header('P-Asserted-Identity')).toMatch(/^"Harbour Dental" <sip:\+15550100200@/)
  expect(call.header('X-Parley-Call')).toBe('parley-1.2')
  expect(call.header('X-Parley-Reason')).toBe('A tooth; it aches, since "yesterday"')
  expect(call.header('Session-Expires')).toMatch(/^1800/)
  // Whoever is called may send the call nowhere, and asks in vain what else we are.
  expect(await call.ask('REFER', [['Refer-To', '<sip:bianca@127.0.0.1>']])).toBeGreaterThanOrEqual(400)
  await ours.gateway.request('DELETE', `/channels/${channel}`)
  await call.ended
})

test.concurrent('a caller who does not tell a number is shown as nobody', async () => {
  await using ours = await house()
  await using trunk = await Phone.open(deps, { address: '127.77.1.2' })
  const outlet = { host: trunk.address.address, port: trunk.address.port, transport: 'udp' } as const
  await ours.change(outlet)
  const channel = await dial(ours, at('2000', outlet), { 'CONNECTEDLINE(num,i)': '', 'CONNECTEDLINE(name,i)': '' })
  const call = await trunk.nextCall()
  // Its tag is anything.
  expect(call.header('From')?.replace(/;tag=.*/, '')).not.toMatch(/parley|d-[0-9a-f]/i)
  await ours.gateway.request('DELETE', `/channels/${channel}`)
  await call.ended
})

test.concurrent('TLS is spoken with callers and destinations where certificates are given', async () => {
  const certificate = join(import.meta.dirname, '../../fixtures/tls/certificate.pem')
  const key = join(import.meta.dirname, '../../fixtures/tls/key.pem')
  const [near, far] = [await freePort(), await freePort()]
  await using theirs = await house({ tls: { port: far, certificate, key }, sipUser: 'theirs' })
  await using ours = await house({ tls: { port: near, certificate, key, authorities: certificate } })
  const outlet = { host: '127.0.0.1', port: far, transport: 'tls' } as const
  await ours.change(outlet)
  expect(ours.troubles).toEqual([])
  const id = await dial(ours, at('theirs', outlet))
  const arrived = (await theirs.gateway.event('StasisStart')).channel?.id ?? ''
  const answered = ours.gateway.event('ChannelStateChange', event => event.channel?.id === id)
  await theirs.gateway.request('POST', `/channels/${arrived}/answer`)
  await answered
  await theirs.gateway.request('DELETE', `/channels/${arrived}`)
  await ours.gateway.event('ChannelDestroyed', event => event.channel?.id === id)
})
