import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import type { CallOptions } from '../../../src/caller/invitation.ts'
import { traceDb } from '../../../src/caller/tones.ts'
import { word } from '../../../src/caller/voice.ts'
import { toneGenerator } from '../../../src/media/tone.ts'
import { startTestAsterisk } from '../../support/asterisk.ts'
import { seeded } from '../../support/random.ts'
import { diskOf } from './disk.ts'
import { greetingHz, House } from './house.ts'

/** The agent hears it and answers with a tone half as high. */
async function isAnswered(call: Call): Promise<void> {
  await call.play(word({ f0: 130, markerHz: 1_300, ms: 600, level: -16, random: seeded(1) }))
  await call.hearsTone(650, { forMs: 400 })
}

function namesOf(events: readonly CallEvent[], call: string | undefined): string[] {
  return events.filter(event => event.call === call).map(event => event.fact.name)
}

it.concurrent('with a full disk its calls go on and new ones are taken; with room again nothing is missing', async () => {
  await using house = await House.open()
  const disk = diskOf(house)
  const talking = await house.dial()
  await talking.hearsTone(greetingHz, { forMs: 400 })
  const [first] = await house.events()
  disk.fill()
  await isAnswered(talking)
  const next = await house.dial()
  await next.hearsTone(greetingHz, { forMs: 400 })
  await isAnswered(next)
  await next.hangup()
  await house.until(async () => house.log.some(line => /journal cannot be written .*Free space/.test(line)))
  const whileFull = await house.events()
  disk.free()
  await house.eventually('ended')
  const events = await house.events()
  expect(events.slice(0, whileFull.length)).toEqual(whileFull)
  expect(events.length).toBeGreaterThan(whileFull.length)
  const late = events.find(event => event.call !== first?.call)?.call
  expect(namesOf(events, late)).toEqual(expect.arrayContaining(['offered', 'answered', 'callerSpoke', 'ended']))
  expect(namesOf(events, late)[0]).toBe('offered')
  expect(namesOf(events, first?.call)).toContain('callerSpoke')
  await talking.hangup()
})

it.concurrent('picks up the voicemail of an Asterisk with which it shares nothing but ARI', async () => {
  await using pbx = await startTestAsterisk()
  const { ari, tcpPort, directory } = pbx.settings
  const recordings = join(directory, 'spool/recording')
  const environment = {
    ASTERISK: 'external',
    ARI_URL: `http://127.0.0.1:${ari.port}`,
    ARI_USERNAME: ari.username,
    ARI_PASSWORD: ari.password,
    ARI_APP: ari.app,
  }
  await using house = await House.open({ environment, sipPort: tcpPort })
  const served = await house.dial()
  await served.hearsTone(greetingHz, { forMs: 400 })
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

it.concurrent('tells its external address to whoever is beyond the NAT and its own to the rest, and both are heard', async () => {
  const [external, own, beyond] = ['127.0.0.9', '127.0.0.1', '127.0.0.5']
  await using house = await House.open({
    environment: { EXTERNAL_ADDRESS: external, LOCAL_NETWORKS: `${own}/32`, SIP_ALLOW: `${own}/32,${beyond}/32` },
  })
  const callers = [
    // No NAT gives the sound that leaves the external address: on loopback it comes from Asterisk's own.
    [{ localAddress: beyond, soundFrom: own }, external],
    [{ localAddress: own }, own],
  ] as const satisfies readonly (readonly [Partial<CallOptions>, string])[]
  for (const transport of ['tcp', 'udp'] as const) {
    await Promise.all(
      callers.map(async ([options, address]) => {
        const call = await house.dial({ transport, ...options })
        const answer = await call.answered
        expect(answer).toMatchObject({ kind: 'answered', audio: { address } })
        expect(answer).toHaveProperty('contact', expect.stringMatching(`^sip:.*@?${address}:${house.sipPort}`))
        await call.hearsTone(greetingHz, { forMs: 400 })
        await isAnswered(call)
        // The request within the call finds the way by the Contact.
        expect(await call.hangup()).toMatchObject({ how: 'bye', reason: '200 OK' })
      }),
    )
  }
})
