import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallFact } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { type Pbx, pbxHz, startPbx } from '../../support/pbx.ts'
import { greeted, House } from './house.ts'

const CALLERS = 20
const callerHz = 520

let pbx: Pbx
let practice: Practice
beforeAll(async () => {
  pbx = await startPbx()
  practice = await practiceOf()
})
afterAll(async () => {
  await practice.house[Symbol.asyncDispose]()
  await pbx[Symbol.asyncDispose]()
})

type Practice = Awaited<ReturnType<typeof practiceOf>>

interface Told {
  readonly id: string
  readonly state: string
  readonly transferredTo: string | null
  readonly transfers: readonly { readonly outcome: string | null }[]
}

interface Private {
  readonly state: string
  readonly private: { readonly callerNumber: string }
}

/** A business with the PBX's telephones for destinations, and what its own system is told of transfers. */
async function practiceOf(more: Partial<Parameters<typeof House.open>[0]> = {}) {
  const notices: Record<string, unknown>[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    notices.push({ ...JSON.parse(body), key: request.headers['idempotency-key'] })
    response.writeHead(204).end()
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const house = await House.open({
    ...more,
    environment: { TOOLS_ALLOW_PRIVATE: '127.0.0.0/8' },
    business: {
      id: 'practice',
      destinations: [
        { name: 'reception', address: pbx.address('2000', 'tcp') },
        { name: 'nobody', address: pbx.address('2003') },
        { name: 'desk', address: pbx.address('2004') },
        { name: 'night bell', address: pbx.address('2003'), ringSeconds: 5 },
      ],
      transfers: { webhook: `http://127.0.0.1:${(server.address() as AddressInfo).port}/pop` },
    },
  })
  const detail = async (id: string) => (await house.get<Told>(`/v1/calls/${id}`)).body
  const becomes = (id: string, state: string) => house.until(async () => (await detail(id)).state === state)
  const factsOf = async (id: string): Promise<CallFact[]> =>
    (await house.events()).filter(({ call }) => call === id).map(({ fact }) => fact)
  return { house, notices, detail, becomes, factsOf }
}

/** Calls in, hears the greeting, and hums; the newest of all calls. */
async function caller(house: House): Promise<{ call: Call; id: string }> {
  const before = new Set((await house.liveCalls()).map(({ id }) => id))
  const call = await greeted(await house.dial())
  const id = (await house.liveCalls()).find(each => !before.has(each.id))!.id
  return { call, id }
}

it('connects a caller with a destination because an operator wants it, and whoever answers knows who calls', async () => {
  const { house, notices, detail, becomes, factsOf } = practice
  const { call, id } = await caller(house)
  const wish = { destination: 'reception', reason: 'Fragt nach der Öffnungszeit' }
  expect((await house.post(`/v1/calls/${id}/transfer`, wish)).status).toBe(202)
  const phone = await pbx.phone.nextCall()
  call.hum(callerHz)
  await Promise.all([call.hearsTone(pbxHz.phone, { forMs: 200 }), phone.hearsTone(callerHz, { forMs: 200 })])
  await becomes(id, 'connected')
  expect(await detail(id)).toMatchObject({ transferredTo: 'reception', transfers: [{ outcome: 'connected' }] })
  await house.until(async () => notices.length > 0)
  expect(notices).toMatchObject([
    { ...wish, call: id, attempt: 1, business: 'practice', by: 'operator', key: `${id}-transfer-1` },
  ])
  const again = await house.post<{ detail: string }>(`/v1/calls/${id}/transfer`, wish)
  expect([again.status, again.body.detail]).toEqual([409, expect.stringMatching(/connected/)])
  await phone.hangup()
  await call.ended
  await Promise.all([house.isEmpty(), pbx.idle()])
  const facts = await factsOf(id)
  expect(facts.slice(-1)).toMatchObject([{ name: 'ended', reason: 'transferred' }])
  expect(facts.map(({ name }) => name).filter(name => name.startsWith('transfer'))).toEqual([
    ...['transferBegan', 'transferRang', 'transferAnswered', 'transferEnded'],
  ])
})

it('brings a caller back who waits for somebody, with the agent there', async () => {
  const { house, becomes, factsOf } = practice
  const { call, id } = await caller(house)
  expect((await house.post(`/v1/calls/${id}/transfer`, { destination: 'nobody' })).status).toBe(202)
  await house.until(async () => (await factsOf(id)).some(({ name }) => name === 'transferRang'))
  expect((await house.delete(`/v1/calls/${id}/transfer`)).status).toBe(202)
  await becomes(id, 'live')
  await house.until(async () => (await factsOf(id)).some(({ name }) => name === 'transferEnded'))
  expect(await factsOf(id)).toContainEqual(expect.objectContaining({ name: 'transferEnded', outcome: 'cancelled' }))
  await house.until(async () => (await factsOf(id)).at(-1)?.name === 'agentSpoke')
  await call.hangup()
  await Promise.all([house.isEmpty(), pbx.idle()])
})

it('takes one wish of operators at a time, and back also before it rings', async () => {
  const { house, detail } = practice
  const { call, id } = await caller(house)
  const path = `/v1/calls/${id}/transfer`
  expect((await house.delete(path)).status).toBe(409)
  expect((await house.post(path, { destination: 'reception' })).status).toBe(202)
  expect((await house.post(path, { destination: 'desk' })).status).toBe(409)
  expect((await house.delete(path)).status).toBe(202)
  await call.hearsSilence(700)
  expect(await detail(id)).toMatchObject({ state: 'live', transfers: [] })
  await call.hangup()
  await Promise.all([house.isEmpty(), pbx.idle()])
})

it('rings as long as the destination says, and then the caller has the agent back', async () => {
  const { house, detail, becomes, factsOf } = practice
  const { call, id } = await caller(house)
  expect((await house.post(`/v1/calls/${id}/transfer`, { destination: 'night bell' })).status).toBe(202)
  await becomes(id, 'transferring')
  await becomes(id, 'live')
  expect((await detail(id)).transfers).toMatchObject([{ outcome: 'noAnswer' }])
  await house.until(async () => (await factsOf(id)).at(-1)?.name === 'agentSpoke')
  await call.hangup()
  await Promise.all([house.isEmpty(), pbx.idle()])
})

it.each([
  ['where there are ports for it', 100, CALLERS],
  // 28 pairs, of which a tenth stays free.
  ['as far as there are ports for it, and all others stay with their agent', 56, 5],
])('transfers twenty callers at once %s', async (_, rtpPorts, most) => {
  const { house } = await practiceOf({ rtpPorts })
  await using _house = house
  const numbers = Array.from({ length: CALLERS }, (_, n) => `+1555010${1_000 + n}`)
  const calls = new Map(
    await Promise.all(numbers.map(async from => [from, await greeted(await house.dial({ from }))] as const)),
  )
  const ids = (await house.liveCalls()).map(({ id }) => id)
  expect(ids).toHaveLength(CALLERS)
  await Promise.all(ids.map(id => house.post(`/v1/calls/${id}/transfer`, { destination: 'desk' })))
  const outcomes = async () =>
    (await house.events()).flatMap(({ fact }) => (fact.name === 'transferEnded' ? [fact.outcome] : []))
  await house.until(async () => (await outcomes()).length === CALLERS)
  const count = (all: readonly string[], one: string) => all.filter(each => each === one).length
  const told = await outcomes()
  expect([count(told, 'connected'), count(told, 'noPort')]).toEqual([most, CALLERS - most])
  const { body } = await house.get<{ calls: Private[] }>('/v1/calls?state=live&private=true')
  const connected = body.calls.filter(({ state }) => state === 'connected')
  const hear = connected.map(each => calls.get(each.private.callerNumber)!.hearsTone(pbxHz.tone, { forMs: 200 }))
  expect(await Promise.all(hear)).toHaveLength(most)
  const states = body.calls.map(({ state }) => state)
  expect(count(states, 'live')).toBe(CALLERS - most)
  await Promise.all([...calls.values()].map(call => call.hangup()))
  await Promise.all([house.isEmpty(), pbx.idle()])
})
