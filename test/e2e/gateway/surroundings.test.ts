import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { traceDb } from '../../../src/caller/tones.ts'
import { word } from '../../../src/caller/voice.ts'
import { toneGenerator } from '../../../src/media/tone.ts'
import type { AsteriskSettings } from '../../../src/telephony/asterisk/settings.ts'
import { startTestAsterisk } from '../../support/asterisk.ts'
import { seeded } from '../../support/random.ts'
import { diskOf } from './disk.ts'
import { greetingHz, House } from './house.ts'

/** The agent hears it and answers with a tone half as high. How whole it arrives is asked elsewhere. */
async function isAnswered(call: Call): Promise<void> {
  await call.play(word({ f0: 130, markerHz: 1_300, ms: 600, level: -16, random: seeded(1) }))
  await call.hearsTone(650, { forMs: 200 })
}

function namesOf(events: readonly CallEvent[], call: string | undefined): string[] {
  return events.filter(event => event.call === call).map(event => event.fact.name)
}

/** For a gateway of an Asterisk that it does not start. */
function externalTo({ ari }: AsteriskSettings) {
  return {
    ASTERISK: 'external',
    ARI_URL: `http://127.0.0.1:${ari.port}`,
    ARI_USERNAME: ari.username,
    ARI_PASSWORD: ari.password,
    ARI_APP: ari.app,
  }
}

it.concurrent('with a full disk its calls go on and new ones are taken; with room again nothing is missing', async () => {
  await using house = await House.open()
  const disk = diskOf(house)
  const talking = await house.dial()
  await talking.hearsTone(greetingHz, { forMs: 200 })
  const [first] = await house.events()
  disk.fill()
  await isAnswered(talking)
  const next = await house.dial()
  await next.hearsTone(greetingHz, { forMs: 200 })
  await isAnswered(next)
  await next.hangup()
  // The last block of the journal's file may have room for some more events.
  while (!house.log.some(line => /journal cannot be written .*Free space/.test(line)))
    await (await house.dial()).hangup()
  const whileFull = await house.events()
  disk.free()
  const isOver = (event: CallEvent) => event.call !== first?.call && event.fact.name === 'ended'
  await house.until(async () => {
    const written = await house.events()
    return written.length > whileFull.length && written.some(isOver)
  })
  const events = await house.events()
  expect(events.slice(0, whileFull.length)).toEqual(whileFull)
  const late = events.find(event => event.call !== first?.call)?.call
  expect(namesOf(events, late)).toEqual(expect.arrayContaining(['offered', 'answered', 'callerSpoke', 'ended']))
  expect(namesOf(events, late)[0]).toBe('offered')
  expect(namesOf(events, first?.call)).toContain('callerSpoke')
  await talking.hangup()
})

it.concurrent('picks up the voicemail of an Asterisk with which it shares nothing but ARI', async () => {
  await using pbx = await startTestAsterisk()
  const recordings = join(pbx.settings.directory, 'spool/recording')
  await using house = await House.open({ environment: externalTo(pbx.settings), sipPort: pbx.settings.tcpPort })
  const served = await house.dial()
  await served.hearsTone(greetingHz, { forMs: 200 })
  await served.hangup()
  await house.isEmpty()
  await house.signal('SIGKILL')
  const call = await house.dial()
  await house.until(async () => readdirSync(recordings).length === 1)
  await call.play(toneGenerator(8_000, 700, -10)(new Int16Array(12_000)))
  await call.hangup()
  await house.start()
  await house.eventually('voicemailLeft')
  const kept = join(house.stateDir, 'state/voicemail')
  const audio = new Int16Array(readFileSync(join(kept, readdirSync(kept)[0]!)).buffer.slice(44))
  expect(traceDb(audio, 700)).toBeGreaterThan(-13)
  await house.until(async () => readdirSync(recordings).length === 0)
})

const [external, own, beyond] = ['127.0.0.9', '127.0.0.1', '127.0.0.5']
/** No NAT gives what leaves the external address: on loopback the sound comes from Asterisk's own. */
const beyondTheNat = { localAddress: beyond, soundFrom: own }

async function eachIsTold(house: House, transport: 'tcp' | 'udp'): Promise<void> {
  for (const [options, address] of [
    [beyondTheNat, external],
    [{ localAddress: own }, own],
  ] as const) {
    const call = await house.dial({ transport, ...options })
    const contact = expect.stringContaining(`${address}:${house.sipPort}`)
    expect(await call.answered).toMatchObject({ kind: 'answered', contact, audio: { address } })
    await call.hearsTone(greetingHz, { forMs: 200 })
    // Bound to its own address (see below) it hears nothing that is sent to the external one: there a NAT would bring it.
    if (transport === 'udp' || address === own) await isAnswered(call)
    expect(await call.hangup()).toMatchObject({ how: 'bye', reason: '200 OK' })
  }
}

it.concurrent('tells its external address to whoever is beyond the NAT and its own to the rest, and both are heard', async () => {
  await using house = await House.open({
    environment: { EXTERNAL_ADDRESS: external, LOCAL_NETWORKS: `${own}/32`, SIP_ALLOW: `${own}/32,${beyond}/32` },
  })
  await eachIsTold(house, 'udp')
})

// Asterisk knows a TCP connection by the address it came to, which must be the transport's: on loopback one that is bound there.
it.concurrent('tells them over TCP too', async () => {
  await using pbx = await startTestAsterisk({
    bindAddress: own,
    externalAddress: external,
    localNetworks: [`${own}/32`],
    allowedNetworks: [`${own}/32`, `${beyond}/32`],
  })
  await using house = await House.open({ environment: externalTo(pbx.settings), sipPort: pbx.settings.tcpPort })
  await eachIsTold(house, 'tcp')
})
