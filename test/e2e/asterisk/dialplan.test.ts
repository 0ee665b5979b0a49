import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAsterisk } from '../../support/asterisk.ts'
import { type AriEvent, TestAri } from './ari.ts'
import { openDesk } from './desk.ts'
import { type RawCall, rawCall } from './raw-call.ts'

const maxCalls = 3
const destination = { user: '2000', host: '127.0.0.3', port: 5060, transport: 'udp' } as const

let running: Awaited<ReturnType<typeof startTestAsterisk>>
let port: number

beforeAll(async () => {
  running = await startTestAsterisk({ maxCalls, destinations: { desk: destination } })
  port = running.settings.tcpPort
})

afterAll(() => running[Symbol.asyncDispose]())

async function offered(gateway: TestAri): Promise<{ id: string; args: readonly string[] }> {
  const event = await gateway.event('StasisStart')
  return { id: event.channel?.id ?? '', args: event.args ?? [] }
}

const inContext = (context: string, app: string) => (event: AriEvent) =>
  event.channel?.dialplan.context === context && event.channel.dialplan.app_name === app

function decode(headers: string): Record<string, string> {
  return Object.fromEntries(headers.split('&').map(pair => pair.split('=').map(decodeURIComponent)))
}

test('a stranger is refused before any dialplan, also beside the allowed address, and a good call still works', async () => {
  await using gateway = await new TestAri(running.settings).connect('gateway')
  expect((await rawCall({ port, from: '127.0.0.2' })).status).toBe(403)
  const call = rawCall({ port })
  const { id } = await offered(gateway)
  await gateway.request('POST', `/channels/${id}/answer`)
  expect((await call).status).toBe(200)
  await (await call).hangUp()
})

test('whoever dials another user hears 404, and so does a destination that dials the agent', async () => {
  expect((await rawCall({ port, user: 'nobody' })).status).toBe(404)
  expect((await rawCall({ port, user: 'bianc' })).status).toBe(404)
  expect((await rawCall({ port, from: '127.0.0.3' })).status).toBe(404)
})

test('what the far end said arrives whole: request URI, X- headers, number, user', async () => {
  await using gateway = await new TestAri(running.settings).connect('gateway')
  const headers = ['X-Twilio-CallSid: CA0123', 'x-name: Ana Núñez', 'Y-Other: no', 'X-Empty:']
  const call = rawCall({ port, parameters: ';callSid=CA9;patientId=p%201', headers })
  const { id, args } = await offered(gateway)
  const [direction, uri = '', sent = '', from, user] = args
  expect([direction, from, user]).toEqual(['inbound', '+15551230000', 'bianca'])
  expect(decodeURIComponent(uri)).toMatch(/^sip:bianca@127\.0\.0\.1:\d+;/)
  expect(decodeURIComponent(uri)).toContain(';callSid=CA9')
  expect(decodeURIComponent(uri)).toContain(';patientId=p%201')
  expect(decode(sent)).toEqual({ 'X-Twilio-CallSid': 'CA0123', 'x-name': 'Ana Núñez', 'X-Empty': '' })
  await gateway.request('DELETE', `/channels/${id}?reason=busy`)
  expect((await call).status).toBe(486)
})

test.each([
  ['dialplan in a value', [`X-A: ,"$\{EXTEN}$[1+1]{}[]%41;&=\\,n)|'id'`]],
  ['parentheses that open and never close', ['X-A: ((((', 'X-B: b']],
  ['dialplan in a parameter', ['X-A: a'], ';x=((((;callSid=$(id)$'],
  ['forty headers of the greatest length', Array.from({ length: 40 }, (_, n) => `X-${n}: ${'%'.repeat(300)}`)],
  ['one header of 4 kB', [`X-A: ${'%'.repeat(4096)}`]],
])('hostile input stays what it is: %s', async (_, headers: string[], parameters = '') => {
  await using gateway = await new TestAri(running.settings).connect('gateway')
  const call = rawCall({ port, headers, parameters, caller: '+1%24%7BEXTEN%7D2%22%2C%28(' })
  const { id, args } = await offered(gateway)
  expect(args.length).toBe(5)
  const [, uri = '', sent = '', from, user] = args
  expect(user).toBe('bianca')
  expect(from).toMatch(/^[+0-9]*$/)
  expect(uri).toMatch(/^[^,(]*$/)
  expect(() => decodeURIComponent(uri)).not.toThrow()
  expect(sent.length).toBeLessThan(4_000)
  for (const [name, value] of Object.entries(sent ? decode(sent) : {})) {
    const line = headers.find(each => each.startsWith(`${name}:`)) ?? ''
    expect(
      line
        .slice(name.length + 1)
        .trim()
        .startsWith(value),
    ).toBe(true)
  }
  await gateway.request('DELETE', `/channels/${id}`)
  await call
})

test('the second wall: one call over the limit is congestion, and a free place is given again', async () => {
  await using gateway = await new TestAri(running.settings).connect('gateway')
  const calls: RawCall[] = []
  for (let n = 0; n < maxCalls; n++) {
    const call = rawCall({ port })
    const { id } = await offered(gateway)
    await gateway.request('POST', `/channels/${id}/answer`)
    calls.push(await call)
  }
  expect((await rawCall({ port })).status).toBe(503)
  await calls.shift()?.hangUp()
  const again = rawCall({ port })
  const { id } = await offered(gateway)
  await gateway.request('POST', `/channels/${id}/answer`)
  calls.push(await again)
  expect(calls.map(call => call.status)).toEqual([200, 200, 200])
  for (const call of calls) await call.hangUp()
})

test('one law in the answer: mu-law where it is offered, else A-law, else none', async () => {
  await using gateway = await new TestAri(running.settings).connect('gateway')
  for (const [codecs, answered] of [
    ['0 8 101', '0 101'],
    ['8 101', '8 101'],
  ] as const) {
    const call = rawCall({ port, codecs })
    const { id } = await offered(gateway)
    await gateway.request('POST', `/channels/${id}/answer`)
    expect(/^m=audio \d+ RTP\/AVP (.*?)\r?$/m.exec((await call).answer)?.[1]).toBe(answered)
    await (await call).hangUp()
  }
  expect((await rawCall({ port, codecs: '18' })).status).toBe(488)
})

test.concurrent('a lease that nobody renews ends in the fallback; a renewed one does not', async () => {
  await using leased = await startTestAsterisk({ leaseSeconds: 2 })
  await using gateway = await new TestAri(leased.settings).connect('gateway')
  await using witness = await new TestAri(leased.settings).connect('witness')
  const calls = [rawCall({ port: leased.settings.tcpPort }), rawCall({ port: leased.settings.tcpPort })]
  const [kept, lost] = [await offered(gateway), await offered(gateway)]
  for (const { id } of [kept, lost]) await gateway.request('POST', `/channels/${id}/answer`)
  await gateway.request('POST', `/channels/${kept.id}/variable?variable=TIMEOUT(absolute)&value=60`)
  const fell = await witness.event('ChannelDialplan', inContext('fallback', 'Playback'))
  expect(fell.channel?.id).toBe(lost.id)
  const reason = await witness.request('GET', `/channels/${lost.id}/variable?variable=PARLEY_REASON`)
  expect(reason.body).toEqual({ value: 'lease' })
  const stays = await gateway.request('GET', `/channels/${kept.id}`)
  expect(stays.body).toMatchObject({ dialplan: { context: 'from-twilio', app_name: 'Stasis' } })
  for (const call of calls) await (await call).hangUp()
})

test.concurrent('with no gateway a caller reaches the fallback destination; when that is busy, the voicemail', async () => {
  await using desk = await openDesk('busy')
  const fallback = { fallbackDestination: desk.destination, fallbackCallerId: '+15557770000' }
  await using alone = await startTestAsterisk({ ...fallback, voicemailSeconds: 2 })
  await using witness = await new TestAri(alone.settings).connect('witness')
  const call = await rawCall({ port: alone.settings.tcpPort, sound: true })
  expect(call.status).toBe(200)
  const invite = await desk.rang
  expect(invite).toMatch(/^INVITE sip:2000@127\.0\.0\.3:\d+/)
  expect(invite).toMatch(/^From: .*<sip:\+15557770000@/m)
  const { channel } = await witness.event('ChannelDialplan', inContext('fallback', 'Record'))
  const destroyed = witness.event('ChannelDestroyed', event => event.channel?.id === channel?.id)
  await call.ended
  await destroyed
  const stored = (await witness.request('GET', '/recordings/stored')).body as { name: string; format: string }[]
  expect(stored).toHaveLength(1)
  expect(stored[0]?.format).toBe('wav')
  expect(stored[0]?.name).toMatch(new RegExp(`^voicemail-\\d{10}-\\+15551230000-${channel?.id}$`))
  const file = await witness.file(`/recordings/stored/${encodeURIComponent(stored[0]!.name)}/file`)
  const samples = new Int16Array(file.buffer, file.byteOffset + 44, (file.length - 44) >> 1)
  expect(samples.filter(sample => Math.abs(sample) > 8_000).length).toBeGreaterThan(4_000)
})

test.concurrent('a fallback destination that answers has the caller, and may hang up; no voicemail follows', async () => {
  await using desk = await openDesk('answers')
  await using alone = await startTestAsterisk({ fallbackDestination: desk.destination })
  await using witness = await new TestAri(alone.settings).connect('witness')
  const call = await rawCall({ port: alone.settings.tcpPort, sound: true })
  await witness.event('ChannelEnteredBridge')
  expect(await desk.byeAnswered).toMatch(/^SIP\/2\.0 200/)
  await call.ended
  expect((await witness.request('GET', '/recordings/stored')).body).toEqual([])
})

test.concurrent('a handed-back caller reaches the voicemail, which is kept when the caller hangs up', async () => {
  await using alone = await startTestAsterisk()
  await using gateway = await new TestAri(alone.settings).connect('gateway')
  await using witness = await new TestAri(alone.settings).connect('witness')
  const call = rawCall({ port: alone.settings.tcpPort, sound: true, caller: 'anonymous' })
  const { id } = await offered(gateway)
  await gateway.request('POST', `/channels/${id}/answer`)
  await gateway.request('POST', `/channels/${id}/continue?context=fallback&extension=s&priority=1`)
  await witness.event('ChannelDialplan', inContext('fallback', 'Record'))
  const absolute = await witness.request('GET', `/channels/${id}/variable?variable=TIMEOUT(absolute)`)
  expect(Number((absolute.body as { value: string }).value)).toBeGreaterThan(3_600)
  const destroyed = witness.event('ChannelDestroyed', event => event.channel?.id === id)
  await (await call).hangUp()
  await destroyed
  const stored = (await witness.request('GET', '/recordings/stored')).body as { name: string }[]
  expect(stored.map(each => each.name)).toEqual([expect.stringMatching(`^voicemail-\\d+-unknown-${id}$`)])
})
