import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Call } from '../../../src/caller/call.ts'
import { segments, traceDb } from '../../../src/caller/tones.ts'
import { toneGenerator } from '../../../src/media/tone.ts'
import { greeted, greetingHz, House, isRunning } from './house.ts'

function soundMs(call: Call, sinceMs: number): number {
  const audible = segments(call.heard(sinceMs), []).filter(segment => segment.sound !== 'silence')
  return audible.reduce((sum, segment) => sum + segment.toMs - segment.fromMs, 0)
}

it.concurrent('takes a call over when it was killed and is back within the lease: the caller hears a word', async () => {
  // A busy machine takes its time to start a gateway.
  await using house = await House.open({ environment: { LEASE_SECONDS: '60' } })
  const call = await house.dial()
  await greeted(call)
  const pbx = await house.asteriskPid()
  await house.signal('SIGKILL')
  const sinceMs = call.heardMs
  await house.start()
  await house.until(async () => soundMs(call, sinceMs) > 300)
  expect(await house.asteriskPid()).toBe(pbx)
  const [view] = await house.liveCalls()
  const events = await house.events()
  // It was offered once, and the record goes on.
  const offered = new Date(events.find(({ fact }) => fact.name === 'offered')!.atMs).toISOString()
  expect(view).toMatchObject({ state: 'live', offeredAt: offered, answeredAt: expect.any(String) })
  await call.hangup()
  await house.isEmpty()
  const names = (await house.events()).map(event => event.fact.name)
  expect(names).toContain('takenOver')
  expect(names).not.toContain('handedBack')
})

it.concurrent('leads the caller to the fallback when it is not back, and picks up the voicemail when it is', async () => {
  await using house = await House.open({ environment: { LEASE_SECONDS: '2' } })
  const annex = { name: 'Annex', greeting: `[tone ${greetingHz} 600ms]` }
  await house.until(async () => (await house.post('/v1/businesses', annex)).status !== 503)
  const call = await house.dial({ parameters: { business: 'annex' } })
  await greeted(call)
  await house.signal('SIGKILL')
  // After the prompts of the fallback its beep asks for a message.
  await house.until(async () => readdirSync(house.recordings).length === 1)
  await call.play(toneGenerator(8_000, 700, -10)(new Int16Array(12_000)))
  await call.hangup()
  await house.start()
  await house.eventually('voicemailLeft')
  const { business } = (await house.events()).find(({ fact }) => fact.name === 'voicemailLeft')!
  expect(business).toBe('annex')
  const [voicemail = ''] = readdirSync(join(house.stateDir, 'state/voicemail'))
  const audio = new Int16Array(readFileSync(join(house.stateDir, 'state/voicemail', voicemail)).buffer.slice(44))
  expect(traceDb(audio, 700)).toBeGreaterThan(-13)
  await house.until(async () => readdirSync(house.recordings).length === 0)
})

it.concurrent('frozen for longer than the lease, leaves its callers to the fallback, and serves the next when it goes on', async () => {
  await using house = await House.open({ environment: { LEASE_SECONDS: '2' } })
  const talking = await house.dial()
  await greeted(talking)
  process.kill(house.pid, 'SIGSTOP')
  const ringing = await house.dial()
  // Both hear the prompts, and then the beep.
  await house.until(async () => readdirSync(house.recordings).length === 2)
  expect(await ringing.answered).toMatchObject({ kind: 'answered' })
  process.kill(house.pid, 'SIGCONT')
  const next = await house.dial()
  await greeted(next)
  expect(await house.liveCalls()).toHaveLength(1)
  const ended = (await house.events()).find(({ fact }) => fact.name === 'ended')?.fact
  expect(ended).toMatchObject({ reason: 'lost' })
  for (const call of [talking, ringing, next]) await call.hangup()
  await house.isEmpty()
})

it.concurrent('starts Asterisk again when it was killed, and answers as before', async () => {
  await using house = await House.open()
  const lost = await house.dial()
  await greeted(lost)
  const before = await house.asteriskPid()
  process.kill(before, 'SIGKILL')
  await house.isReadyAgain(before)
  await house.isEmpty()
  expect((await house.events()).findLast(({ fact }) => fact.name === 'ended')?.fact).toMatchObject({ reason: 'lost' })
  const call = await house.dial()
  await greeted(call)
  await call.hangup()
  lost.vanish()
})

it.concurrent('keeps its calls when the way to Asterisk is cut, and takes new ones after', async () => {
  await using house = await House.open({ throughWire: true })
  const call = await house.dial()
  await greeted(call)
  house.wire.cut()
  await house.wire.connected()
  const second = await house.dial()
  await greeted(second)
  expect((await house.liveCalls()).map(each => each.state)).toEqual(['live', 'live'])
  await Promise.all([call.hangup(), second.hangup()])
  await house.isEmpty()
})

it.concurrent('finishes on SIGTERM: no new calls, nothing left running', async () => {
  await using house = await House.open({ environment: { DRAIN_SECONDS: '20' } })
  const call = await house.dial()
  await greeted(call)
  const pbx = await house.asteriskPid()
  const ended = house.signal('SIGTERM')
  await house.draining()
  expect(await (await house.dial()).answered).toMatchObject({ kind: 'refused', status: 503 })
  await call.hangup()
  expect(await ended).toBe(0)
  expect(isRunning(pbx)).toBe(false)
})
