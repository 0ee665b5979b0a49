import { afterEach, describe, expect, it } from 'vitest'
import { type Call, placeCall } from '../../src/caller/call.ts'
import type { CallOptions } from '../../src/caller/invitation.ts'
import { type Manner, Phone, refusing, ringing, soundingEarly } from '../../src/caller/phone.ts'
import { systemClock } from '../../src/clock.ts'
import { Wheel } from '../../src/media/wheel.ts'
import { seeded } from '../support/random.ts'

const deps = { clock: systemClock, wheel: new Wheel(systemClock), random: seeded(1) }
const opened: { vanish(): void }[] = []

afterEach(() => {
  for (const each of opened.splice(0)) each.vanish()
})

async function call(phone: Phone, options: Partial<CallOptions> = {}): Promise<Call> {
  const placed = await placeCall(deps, { target: phone.address, transport: 'tcp', user: '2000', ...options })
  opened.push(placed)
  return placed
}

const open = (whenCalled?: Manner) => Phone.open(deps, { address: '127.0.0.1', ...(whenCalled && { whenCalled }) })

describe.each(['tcp', 'udp'] as const)('a telephone that is called over %s', transport => {
  it('rings, answers, and both hear each other until the caller hangs up', async () => {
    await using phone = await open()
    const placed = await call(phone, { transport, from: '+15550100123', headers: { 'X-Parley-Call': 'c1' } })
    const taken = await phone.nextCall()
    expect([taken.user, taken.callerNumber, taken.header('x-parley-call')]).toEqual(['2000', '+15550100123', 'c1'])
    placed.hum(440)
    taken.hum(880)
    expect(await placed.answered).toMatchObject({ kind: 'answered', status: 200 })
    await Promise.all([placed.hearsTone(880, { forMs: 200 }), taken.hearsTone(440, { forMs: 200 })])
    await taken.digits('4#')
    await placed.hangup()
    expect(await taken.ended).toMatchObject({ by: 'caller', how: 'bye' })
    expect(placed.figures().received.digits).toBe('4#')
  })

  it('hangs up', async () => {
    await using phone = await open()
    const placed = await call(phone, { transport })
    const taken = await phone.nextCall()
    await placed.answered
    await taken.hangup()
    expect(await placed.ended).toMatchObject({ by: 'callee', how: 'bye' })
  })

  it('is busy', async () => {
    await using phone = await open(refusing(486))
    const placed = await call(phone, { transport })
    expect(await placed.answered).toMatchObject({ kind: 'refused', status: 486, reason: 'Busy Here' })
  })

  it('rings until the caller gives up', async () => {
    await using phone = await open(ringing)
    const placed = await call(phone, { transport })
    const taken = await phone.nextCall()
    expect(await placed.hangup()).toMatchObject({ by: 'caller', how: 'cancelled' })
    expect(await taken.ended).toMatchObject({ by: 'caller', how: 'cancelled' })
    expect(await taken.answer()).toBe(false)
  })

  it('is heard before it answers', async () => {
    await using phone = await open(soundingEarly(600))
    const placed = await call(phone, { transport })
    const taken = await phone.nextCall()
    await placed.hearsTone(600, { forMs: 100 })
    expect(await taken.answer()).toBe(true)
    taken.hum(900)
    await placed.hearsTone(900, { forMs: 100 })
  })

  it('offers again, holds and resumes', async () => {
    await using phone = await open()
    const placed = await call(phone, { transport })
    const taken = await phone.nextCall()
    placed.hum(440)
    await placed.answered
    await taken.hearsTone(440, { forMs: 100 })
    expect(await taken.hold()).toBe(200)
    expect(await taken.offerAgain(['alaw'])).toBe(200)
    await taken.hearsTone(440, { forMs: 100 })
  })
})

describe('a telephone', () => {
  it('vanishes with its calls when it is closed, and may be closed again', async () => {
    const phone = await open()
    const placed = await call(phone)
    await placed.answered
    await phone.close()
    await phone.close()
    expect(await placed.ended).toMatchObject({ by: 'nobody', how: 'failed' })
    expect(phone.calls).toEqual([])
    expect(deps.wheel.memberCount).toBe(0)
  })

  it('refuses what it has no law for', async () => {
    await using phone = await Phone.open(deps, { address: '127.0.0.1', laws: ['alaw'] })
    const placed = await call(phone, { laws: ['ulaw'] })
    expect(await placed.answered).toMatchObject({ kind: 'refused', status: 488 })
  })

  it('takes many calls at once, each its own', async () => {
    await using phone = await open()
    const placed = await Promise.all(
      [0, 1, 2, 3].map(n => call(phone, { transport: n % 2 ? 'udp' : 'tcp', user: `200${n}` })),
    )
    for (const each of placed) expect(await each.answered).toMatchObject({ kind: 'answered' })
    expect(phone.calls.map(({ user }) => user).sort()).toEqual(['2000', '2001', '2002', '2003'])
  })
})
