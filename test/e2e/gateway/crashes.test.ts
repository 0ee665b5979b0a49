import { existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { segments, traceDb } from '../../../src/caller/tones.ts'
import { decode } from '../../../src/media/g711.ts'
import { toneGenerator } from '../../../src/media/tone.ts'
import { readAuHeader } from '../../../src/recording/au.ts'
import { type OpusTools, opusTools } from '../../support/opus-tools.ts'
import { greeted, greetingHz, House, isRunning } from './house.ts'

const recording = { enabled: true, announcement: '[tone 500 400ms]' }

let tools: OpusTools
beforeAll(async () => {
  tools = await opusTools()
})

const databases = ['embedded', 'server'] as const

/** The only recording that there is, under a name that outlives its conversion, which begins as soon as the call is over. */
function held(house: House): string {
  const folder = join(house.stateDir, 'state/recordings')
  const [name = ''] = readdirSync(folder)
  const path = join(house.stateDir, name)
  linkSync(join(folder, name), path)
  return path
}

/** What is on the disk of the agent's side. */
function agentIn(path: string): Int16Array {
  const file = readFileSync(path)
  const { law, dataAt } = readAuHeader(file)!
  const bytes = file.subarray(dataAt).filter((_, index) => index % 2 === 1)
  const agent = new Int16Array(bytes.length)
  decode(law, bytes, agent)
  return agent
}

const isoOf = ({ atMs }: CallEvent) => new Date(atMs).toISOString()
const idOf = (path: string) => basename(path, '.au')

/** One recording is listed, made small once and played so, as long as what was written. */
async function isListed(house: House, path: string, told: object): Promise<void> {
  const list = async () =>
    (await house.get<{ recordings: { convertedAt: string | null }[] }>('/v1/recordings')).body.recordings
  await house.until(async () => typeof (await list())[0]?.convertedAt === 'string')
  const samples = agentIn(path).length
  expect(await list()).toMatchObject([{ ...told, id: idOf(path), seconds: Math.ceil(samples / 8_000) }])
  const { status, bytes } = await house.sound(`/v1/recordings/${idOf(path)}/audio`)
  expect(status).toBe(200)
  writeFileSync(`${path}.opus`, bytes)
  const [, minutes, seconds] = /Playback length: (\d+)m:([\d.]+)s/.exec(await tools.info(`${path}.opus`))!
  expect(Number(minutes) * 60 + Number(seconds)).toBeCloseTo(samples / 8_000, 2)
  const { jobs } = (await house.get<{ jobs: { key: string }[] }>('/v1/jobs?kind=convert')).body
  expect(jobs.filter(({ key }) => key === idOf(path))).toMatchObject([{ attempts: 1 }])
  expect((await house.events()).filter(({ fact }) => fact.name === 'recordingConverted')).toHaveLength(1)
}

/** What was heard longer ago than this is on the disk: 200 ms are on the way to it, and 240 ms are waited for. */
const keptAfterMs = 500

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
    await house.signal('SIGKILL')
    const leftBehind = mkdtempSync(join(tmpdir(), `parley-hearing-${pid}-`))
    const path = held(house)
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
    const told = (await house.events()).find(({ fact }) => fact.name === 'recordingAnnounced')!
    await isListed(house, path, { call: view!.id, announcedAt: isoOf(told), endedWhy: 'callEnded' })
  },
  120_000,
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
    await house.signal('SIGKILL')
    const path = held(house)
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
    expect(recorded).toMatchObject({ business: 'annex', fact: { recording: idOf(path), why: 'cut' } })
    expect(lengthOfTone(agentIn(path))).toBeGreaterThan(500)
    await isListed(house, path, { business: 'annex', call: recorded.call, endedWhy: 'cut' })
  },
  120_000,
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
