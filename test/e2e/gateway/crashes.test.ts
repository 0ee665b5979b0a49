import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { segments, traceDb } from '../../../src/caller/tones.ts'
import { toneGenerator } from '../../../src/media/tone.ts'
import { type CallView, greeted, greetingHz, House, isRunning } from './house.ts'
import { agentIn, heldRecording, isListed, keptAfterMs } from './kept-recordings.ts'

const recording = { enabled: true, announcement: '[tone 500 400ms]' }

const databases = ['embedded', 'server'] as const

const isoOf = ({ atMs }: CallEvent) => new Date(atMs).toISOString()

function lengthOfTone(samples: Int16Array): number {
  const tones = segments(samples, [greetingHz]).filter(({ hz }) => hz === greetingHz)
  return tones.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
}

function soundMs(call: Call, sinceMs: number): number {
  const audible = segments(call.heard(sinceMs), []).filter(segment => segment.sound !== 'silence')
  return audible.reduce((sum, segment) => sum + segment.toMs - segment.fromMs, 0)
}

it.concurrent.each(databases)(
  'on the %s database takes a call over when it was killed and is back within the lease: the caller hears a word',
  async database => {
    // A busy machine takes its time to start a gateway.
    await using house = await House.open({ business: { recording }, environment: { LEASE_SECONDS: '60' }, database })
    const call = await house.dial()
    await greeted(call)
    await call.hearsSilence(keptAfterMs)
    const pbx = await house.asteriskPid()
    const { pid } = house
    const [{ id }] = (await house.liveCalls()) as [CallView]
    await house.signal('SIGKILL')
    const leftBehind = mkdtempSync(join(tmpdir(), `parley-hearing-${pid}-`))
    const path = await heldRecording(house, id)
    const cut = agentIn(path)
    expect(lengthOfTone(cut)).toBeGreaterThan(500)
    const sinceMs = call.heardMs
    await house.start()
    await house.until(async () => soundMs(call, sinceMs) > 300)
    expect(await house.asteriskPid()).toBe(pbx)
    expect(existsSync(leftBehind)).toBe(false)
    const [view] = await house.liveCalls()
    const events = await house.events()
    // It was offered once, and the record goes on.
    const offered = isoOf(events.find(({ fact }) => fact.name === 'offered')!)
    expect(view).toMatchObject({ state: 'live', offeredAt: offered, answeredAt: expect.any(String) })
    await call.hangup()
    await house.isEmpty()
    const names = (await house.events()).map(event => event.fact.name)
    expect(names).toContain('takenOver')
    // In one file, at its own time: the silence between is as long as nobody was there.
    const whole = agentIn(path)
    expect(whole.subarray(0, cut.length - 160)).toEqual(cut.subarray(0, -160))
    const [began, again, ended] = (await house.events()).filter(({ fact }) =>
      /^recording(Began|Ended)$/.test(fact.name),
    )
    expect([began, again, ended].map(event => event?.fact)).toMatchObject([
      { name: 'recordingBegan' },
      { name: 'recordingBegan', again: true },
      { name: 'recordingEnded', why: 'callEnded' },
    ])
    expect(Math.abs(whole.length / 8 - (ended!.atMs - began!.atMs))).toBeLessThan(1_000)
    const back = segments(whole.subarray(cut.length), []).filter(({ sound }) => sound !== 'silence')
    expect(back.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)).toBeGreaterThan(250)
    expect(names).not.toContain('handedBack')
    await isListed(house, path, { call: id, endedWhy: 'callEnded' })
  },
  180_000,
)

it.concurrent('records nothing of a call that it takes over when somebody had stopped that before it began', async () => {
  const announcement = { enabled: true, announcement: '[tone 500 8000ms]' }
  await using house = await House.open({
    ...{ business: { recording: announcement }, environment: { LEASE_SECONDS: '60' } },
  })
  const call = await house.dial()
  await call.hearsTone(500, { forMs: 100 })
  const [live] = await house.liveCalls()
  expect((await house.post(`/v1/calls/${live!.id}/recording/stop`, {})).status).toBe(202)
  await house.signal('SIGKILL')
  const sinceMs = call.heardMs
  await house.start()
  await house.until(async () => soundMs(call, sinceMs) > 300)
  await call.hangup()
  await house.isEmpty()
  const names = (await house.events()).map(({ fact }) => fact.name)
  expect(names).toContain('takenOver')
  expect(names.filter(name => name.startsWith('recording'))).toEqual(['recordingStopped'])
  expect(existsSync(join(house.stateDir, 'state/recordings'))).toBe(false)
})

it.concurrent.each(databases)(
  'on the %s database leads the caller to the fallback when it is not back, and picks up the voicemail when it is',
  async database => {
    await using house = await House.open({ environment: { LEASE_SECONDS: '2' }, database })
    const annex = { name: 'Annex', greeting: `[tone ${greetingHz} 600ms]`, recording }
    await house.until(async () => (await house.post('/v1/businesses', annex)).status !== 503)
    const call = await house.dial({ parameters: { business: 'annex' }, from: '+15550100778' })
    await greeted(call)
    await call.hearsSilence(keptAfterMs)
    const [{ id }] = (await house.liveCalls()) as [CallView]
    await house.signal('SIGKILL')
    const path = await heldRecording(house, id)
    // After the prompts of the fallback its beep asks for a message.
    await house.until(async () => readdirSync(house.recordings).length === 1)
    await call.play(toneGenerator(8_000, 700, -10)(new Int16Array(12_000)))
    await call.hangup()
    await house.start()
    await house.eventually('voicemailLeft')
    const { business } = (await house.events()).find(({ fact }) => fact.name === 'voicemailLeft')!
    expect(business).toBe('annex')
    await house.until(async () => (await house.get<{ voicemails: [] }>('/v1/voicemails')).body.voicemails.length > 0)
    const [voicemail = ''] = readdirSync(join(house.stateDir, 'state/voicemail'))
    // The PBX names it by the caller's number, and Parley does not.
    expect(voicemail).toMatch(/^[\w-]{22}\.wav$/)
    const audio = new Int16Array(readFileSync(join(house.stateDir, 'state/voicemail', voicemail)).buffer.slice(44))
    expect(traceDb(audio, 700)).toBeGreaterThan(-13)
    await house.until(async () => readdirSync(house.recordings).length === 0)
    await house.eventually('recordingEnded')
    const recorded = (await house.events()).find(({ fact }) => fact.name === 'recordingEnded')!
    expect(recorded).toMatchObject({ business: 'annex', fact: { recording: basename(path, '.au'), why: 'cut' } })
    expect(lengthOfTone(agentIn(path))).toBeGreaterThan(500)
    await isListed(house, path, { call: id, endedWhy: 'cut' })
  },
  180_000,
)

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
  await call.hearsSilence(keptAfterMs)
  const pbx = await house.asteriskPid()
  const ended = house.signal('SIGTERM')
  await house.draining()
  expect(await (await house.dial()).answered).toMatchObject({ kind: 'refused', status: 503 })
  await call.hangup()
  expect(await ended).toBe(0)
  expect(isRunning(pbx)).toBe(false)
})
