import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { greeted, House } from './house.ts'

async function takenPort() {
  const server = createServer().listen(0, '0.0.0.0')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() }
}

/** What a gateway that does not start says; it must end by itself and leave nothing. */
async function lastWords(environment: Record<string, string>): Promise<string> {
  const opened = House.open({ environment })
  const words = await opened.then(
    () => 'it started',
    error => String(error),
  )
  if (words === 'it started') await (await opened)[Symbol.asyncDispose]()
  return words
}

it.concurrent('tells all that is wrong with its configuration at once, and ends', async () => {
  const words = await lastWords({
    RTP_PORT_END: '1',
    SIP_ALLOW: 'everybody',
    LOG_LEVEL: 'loud',
    FALLBACK_DESTINATION: 'bob',
  })
  for (const name of ['RTP_PORT_END', 'SIP_ALLOW', 'LOG_LEVEL', 'FALLBACK_DESTINATION']) expect(words).toContain(name)
  expect(words).toContain('ended (1)')
  expect(words).not.toContain('    at ')
})

it.concurrent('names a taken port, its setting and the remedy', async () => {
  using http = await takenPort()
  using sip = await takenPort()
  expect(await lastWords({ HTTP_PORT: String(http.port) })).toMatch(/is taken.*set HTTP_HOST and HTTP_PORT/)
  expect(await lastWords({ SIP_TCP_PORT: String(sip.port) })).toMatch(/SIP_TCP_PORT.*is taken/)
  expect(await lastWords({ HTTP_HOST: 'no-such-host.invalid' })).toMatch(
    /ended \(1\):\nparley: no-such-host.*HTTP_HOST/,
  )
})

it.concurrent('does not start where it may not write', async () => {
  expect(await lastWords({ STATE_DIR: '/etc/hostname/parley' })).toMatch(
    /STATE_DIR \/etc\/hostname\/parley cannot be made/,
  )
})

it.concurrent('does not start twice on one state folder, and the first goes on', async () => {
  await using first = await House.open()
  const { ARI_PORT, ...shared } = first.environment
  const second = await lastWords({ STATE_DIR: shared['STATE_DIR'] ?? '' })
  expect(second).toMatch(/Another Parley is running on .* STATE_DIR of its own/)
  const call = await first.dial()
  await greeted(call)
  await call.hangup()
})

it.concurrent('steps down in words when another gateway takes its application', async () => {
  await using first = await House.open()
  const ARI_PASSWORD = await first.ariPassword()
  const shared: Record<string, string> = { ...first.environment, ASTERISK: 'external', ARI_PASSWORD }
  const { STATE_DIR, HTTP_PORT, ...pbx } = shared
  await using second = await House.open({ environment: pbx, sipPort: first.sipPort })
  await first.until(async () => (await first.get('/readyz')).status === 503)
  await first.until(async () => first.log.some(line => line.includes('ARI_APP')))
  const call = await second.dial()
  await greeted(call)
  expect(await second.liveCalls()).toHaveLength(1)
  await call.hangup()
})
