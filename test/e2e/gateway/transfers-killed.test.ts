import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Call } from '../../../src/caller/call.ts'
import type { IncomingCall } from '../../../src/caller/incoming-call.ts'
import { type Pbx, pbxHz, startPbx } from '../../support/pbx.ts'
import { greeted, greetingHz, House, isRunning } from './house.ts'
import { agentIn, heldRecording, isListed, keptAfterMs } from './kept-recordings.ts'

const callerHz = 520

let pbx: Pbx
beforeAll(async () => {
  pbx = await startPbx()
})
afterAll(() => pbx[Symbol.asyncDispose]())

interface Connected {
  readonly call: Call
  readonly id: string
  readonly phone: IncomingCall
}

/** Two callers and the telephone of 2000, which knows them by their numbers. */
async function connected(house: House): Promise<Connected[]> {
  const numbers = ['+15550001', '+15550002']
  const callers = numbers.map(async from => {
    const call = await house.dial({ from })
    call.hum(callerHz)
    await call.hearsTone(greetingHz, { forMs: 400 })
    return { from, call }
  })
  const calls = await Promise.all(callers)
  const { body } = await house.get<{ calls: { id: string; private: { callerNumber: string } }[] }>(
    '/v1/calls?state=live&private=true',
  )
  const idOf = (from: string) => body.calls.find(each => each.private.callerNumber === from)!.id
  for (const from of numbers) await house.post(`/v1/calls/${idOf(from)}/transfer`, { destination: 'reception' })
  const phones = [await pbx.phone.nextCall(), await pbx.phone.nextCall()]
  const all = calls.map(({ from, call }) => {
    const phone = phones.find(({ callerNumber }) => callerNumber === from)!
    return { call, phone, id: idOf(from) }
  })
  await Promise.all(all.map(hearEachOther))
  const state = async (id: string) => (await house.get<{ state: string }>(`/v1/calls/${id}`)).body.state
  for (const { id } of all) await house.until(async () => (await state(id)) === 'connected')
  return all
}

async function hearEachOther({ call, phone }: Pick<Connected, 'call' | 'phone'>): Promise<void> {
  await Promise.all([
    call.hearsTone(pbxHz.phone, { forMs: 300, sinceMs: call.heardMs }),
    phone.hearsTone(callerHz, { forMs: 300, sinceMs: phone.heardMs }),
  ])
}

/** What was said to them before they talked with somebody else, and after. */
function goesOn(before: Int16Array, whole: Int16Array): void {
  expect(whole.subarray(0, before.length - 160)).toEqual(before.subarray(0, -160))
  expect(hasWords(whole.subarray(before.length))).toBe(true)
}

const recording = { enabled: true, announcement: '[tone 500 300ms]' }
const hasWords = (samples: Int16Array) => samples.some(sample => Math.abs(sample) > 1_000)

it.each(['embedded', 'server'] as const)(
  'on the %s database a gateway that is killed leaves those talking whom it has connected: the next one knows when they are done, and takes over who is given back; each has one recording, wherever else it is killed',
  async database => {
    await using house = await House.open({
      environment: { LEASE_SECONDS: '3', RTP_TIMEOUT_SECONDS: '2' },
      business: { destinations: [{ name: 'reception', address: pbx.address('2000', 'tcp') }], recording },
      database,
    })
    const [done, left] = (await connected(house)) as [Connected, Connected]
    await house.signal('SIGKILL')
    const [ofDone, ofLeft] = [await heldRecording(house, done.id), await heldRecording(house, left.id)]
    const before = agentIn(ofLeft)
    await house.start()
    await Promise.all([hearEachOther(done), hearEachOther(left)])
    const factsOf = async (id: string) =>
      (await house.events()).filter(({ call }) => call === id).map(({ fact }) => fact)
    const ends = async (id: string) => (await factsOf(id)).filter(({ name }) => name === 'ended')
    expect(await ends(done.id)).toEqual([])

    await done.phone.hangup()
    await done.call.ended
    await house.until(async () => (await ends(done.id)).length > 0)
    expect(await ends(done.id)).toMatchObject([{ reason: 'transferred' }])
    await isListed(house, ofDone, { call: done.id, endedWhy: 'cut' })

    left.phone.vanish()
    const sinceTakenOver = async () => {
      const names = (await factsOf(left.id)).map(({ name }) => name)
      return names.includes('takenOver') ? names.slice(names.indexOf('takenOver')) : []
    }
    await house.until(async () => (await sinceTakenOver()).includes('agentSpoke'))
    expect((await house.liveCalls()).map(({ id, state }) => [id, state])).toEqual([[left.id, 'live']])
    await left.call.hearsSilence(keptAfterMs)
    await house.signal('SIGKILL')
    await left.call.hangup()
    await house.start()
    await Promise.all([house.isEmpty(), pbx.idle()])
    expect(await ends(left.id)).toMatchObject([{ reason: 'lost' }])
    await isListed(house, ofLeft, { call: left.id, endedWhy: 'cut' })
    goesOn(before, agentIn(ofLeft))
  },
  180_000,
)

it('a gateway that is told to stop leaves its Asterisk to those who talk: the next one has it back, or it ends with the last', async () => {
  await using house = await House.open({
    environment: { RTP_TIMEOUT_SECONDS: '2' },
    business: { destinations: [{ name: 'reception', address: pbx.address('2000', 'tcp') }], recording },
  })
  const asterisk = await house.asteriskPid()
  const [one, other] = (await connected(house)) as [Connected, Connected]
  const path = await heldRecording(house, one.id)
  expect(await house.signal('SIGTERM')).toBe(0)
  const before = agentIn(path)
  await Promise.all([hearEachOther(one), hearEachOther(other)])
  expect((await (await house.dial()).answered).kind).toBe('refused')

  await house.start()
  expect(await house.asteriskPid()).toBe(asterisk)
  await Promise.all([hearEachOther(one), hearEachOther(other)])
  const served = await greeted(await house.dial())
  await served.hangup()
  // Whoever is given back is one recording: it was not made small while they might come.
  one.phone.vanish()
  await house.until(async () => hasWords(agentIn(path).subarray(before.length)))
  await one.call.hangup()
  await isListed(house, path, { call: one.id, endedWhy: 'callEnded' })
  goesOn(before, agentIn(path))

  expect(await house.signal('SIGTERM')).toBe(0)
  await hearEachOther(other)
  expect(isRunning(asterisk)).toBe(true)
  await other.call.hangup()
  await house.until(async () => !isRunning(asterisk))
  await pbx.idle()
})

it('a gateway that is told so twice takes its Asterisk with it', async () => {
  await using house = await House.open({
    business: { destinations: [{ name: 'reception', address: pbx.address('2000', 'tcp') }] },
  })
  const asterisk = await house.asteriskPid()
  await connected(house)
  const ended = house.signal('SIGTERM')
  await house.until(async () => {
    const heard = house.log.some(line => line.includes('ending the calls'))
    if (!heard) process.kill(house.pid, 'SIGTERM')
    return heard || !isRunning(house.pid)
  })
  await ended
  expect(isRunning(asterisk)).toBe(false)
  await pbx.idle()
})
