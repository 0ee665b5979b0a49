import { expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { Scope } from '../../../src/scope.ts'
import { readTrunkAddresses } from '../../../src/telephony/asterisk/addresses.ts'
import type { Outlet } from '../../../src/telephony/asterisk/destination.ts'
import { LiveDestinations } from '../../../src/telephony/asterisk/live-destinations.ts'
import type { AsteriskSettings } from '../../../src/telephony/asterisk/settings.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const desk: Outlet = { host: '192.0.2.9', port: 5060, transport: 'udp' }
const named: Outlet = { host: 'trunk.example', port: 5060, transport: 'tcp' }
const settings = {
  bindAddress: '0.0.0.0',
  allowedNetworks: [],
  rtp: { start: 10_000, end: 10_100 },
  silentCallerSeconds: 30,
} as unknown as AsteriskSettings

/** An Asterisk that reads what stands on its disk when it is told to. */
function open() {
  const clock = new VirtualClock()
  const house = {
    clock,
    wanted: {} as Record<string, Outlet>,
    names: new Map([[named.host, ['198.51.100.1']]]),
    disk: new Map<string, string>(),
    read: [] as string[],
    told: [] as string[],
    troubles: [] as string[],
    inUse: new Set<string>(),
    failsToWrite: false,
    failsToRead: false,
    scope: new Scope('test', () => {}),
  }
  const live = new LiveDestinations({
    settings,
    trunk: readTrunkAddresses(),
    clock,
    scope: house.scope,
    wanted: () => house.wanted,
    async write(files) {
      if (house.failsToWrite) throw new Error('the disk is full.')
      for (const [file, text] of files) house.disk.set(file, text)
    },
    async reload(names) {
      if (house.failsToRead) throw new Error('it does not answer.')
      house.read.push(names.join())
    },
    inUse: async () => house.inUse,
    told: text => house.told.push(text),
    trouble: text => house.troubles.push(text),
    async lookUp(host) {
      const found = house.names.get(host)
      if (!found) throw new Error('nobody knows it')
      return found
    },
  })
  return { house, live }
}

test('what a business adds, changes or takes away is written and read, and nothing else is', async () => {
  const { house, live } = open()
  await live.look()
  house.wanted = { desk }
  await live.look()
  await live.look()
  expect(house.read).toEqual(['', 'desk'])
  expect(house.disk.get('pjsip_acl.conf')).toContain('permit = 192.0.2.9')
  expect(house.disk.get('pjsip_destinations.conf')).toContain('contact = sip:192.0.2.9:5060')
  house.wanted = {}
  await live.look()
  expect(house.read).toEqual(['', 'desk', ''])
  expect(house.disk.get('pjsip_acl.conf')).not.toContain('192.0.2.9')
  expect(house.told).toHaveLength(2)
  expect(house.troubles).toEqual([])
})

test('the addresses of a name are asked for again; one that nobody knows just now keeps those that it had', async () => {
  const { house, live } = open()
  house.wanted = { named }
  await live.look()
  house.names.set(named.host, ['198.51.100.2', '198.51.100.1'])
  house.clock.advance(limits.asterisk.resolveAgainMs)
  await live.look()
  expect(house.read).toEqual(['named', 'named'])
  expect(house.disk.get('pjsip_acl.conf')).toContain('permit = 198.51.100.1\npermit = 198.51.100.2')
  house.names.delete(named.host)
  await live.look()
  await live.look()
  expect(house.read).toHaveLength(2)
  expect(house.troubles).toEqual([expect.stringContaining('"trunk.example" has no address')])
})

test.each(['failsToWrite', 'failsToRead'] as const)(
  'what %s is told once and tried again until it is done',
  async fault => {
    const { house, live } = open()
    await live.look()
    house.wanted = { desk }
    house[fault] = true
    await live.look()
    house.clock.advance(limits.asterisk.resolveAgainMs)
    await live.look()
    expect(house.read).toEqual([''])
    expect(house.troubles).toEqual([expect.stringMatching(/Those of before are in force; it is tried again\.$/)])
    house[fault] = false
    house.clock.advance(limits.asterisk.resolveAgainMs)
    await live.look()
    expect(house.read).toEqual(['', 'desk'])
    expect(house.told).toEqual(['Asterisk has the changed destinations'])
  },
)

test('an Asterisk that is another one reads them all the same', async () => {
  const { house, live } = open()
  house.wanted = { desk }
  await live.look()
  await live.again()
  expect(house.read).toEqual(['desk', 'desk'])
})

test('one that is in a call stays as it was until that is over', async () => {
  const { house, live } = open()
  house.wanted = { desk, named }
  await live.look()
  house.inUse = new Set(['desk', 'named'])
  house.wanted = { named }
  house.names.set(named.host, ['198.51.100.7'])
  await live.look()
  const permitted = () => house.disk.get('pjsip_acl.conf')?.match(/^permit = (198.51|192.0).*/gm)
  expect(permitted()).toEqual(['permit = 192.0.2.9', 'permit = 198.51.100.1', 'permit = 198.51.100.7'])
  house.inUse = new Set()
  house.clock.advance(limits.asterisk.resolveAgainMs)
  await live.look()
  expect(permitted()).toEqual(['permit = 198.51.100.7'])
})

test('changes at once leave the last, and after the end there is none', async () => {
  const { house, live } = open()
  const looks = [{ desk }, {}, { named }].map(wanted => {
    house.wanted = wanted as Record<string, Outlet>
    return live.look()
  })
  await Promise.all(looks)
  expect(house.read).toEqual(['named'])
  await house.scope.close()
  house.wanted = { desk }
  house.clock.advance(2 * limits.asterisk.resolveAgainMs)
  await live.look()
  expect(house.read).toEqual(['named'])
})
