import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Call, placeCall } from '../../../src/caller/call.ts'
import type { CallOptions } from '../../../src/caller/invitation.ts'
import { segments } from '../../../src/caller/tones.ts'
import { systemClock } from '../../../src/clock.ts'
import { toneGenerator } from '../../../src/media/tone.ts'
import { Wheel } from '../../../src/media/wheel.ts'
import { startTestAsterisk } from '../../support/asterisk.ts'
import { seeded } from '../../support/random.ts'
import { type AriEvent, TestAri } from '../asterisk/ari.ts'

const deps = { clock: systemClock, wheel: new Wheel(systemClock), random: seeded(11) }
const WAV_HEADER_BYTES = 44

let running: Awaited<ReturnType<typeof startTestAsterisk>>
let gateway: TestAri

beforeAll(async () => {
  running = await startTestAsterisk()
  gateway = await new TestAri(running.settings).connect('gateway')
})

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await running[Symbol.asyncDispose]()
})

function dial(transport: 'tcp' | 'udp', options: Partial<CallOptions> = {}): Promise<Call> {
  const { tcpPort, udpPort, sipUser } = running.settings
  const target = { address: '127.0.0.1', port: transport === 'tcp' ? tcpPort : udpPort }
  return placeCall(deps, { target, transport, user: sipUser, ...options })
}

const isFrom = (id: string) => (event: AriEvent) => event.channel?.id === id
const isRecording = (name: string) => (event: AriEvent) => event.recording?.name === name

describe.each(['tcp', 'udp'] as const)('calling Asterisk over %s', transport => {
  it.each(['ulaw', 'alaw'] as const)('in %s: tones both ways, digits, and an end by either side', async law => {
    const call = await dial(transport, { laws: [law] })
    const { channel } = await gateway.event('StasisStart')
    const id = channel!.id
    await gateway.request('POST', `/channels/${id}/answer`)
    const answer = await call.answered
    expect(answer).toMatchObject({ kind: 'answered', status: 200, audio: { laws: [{ law }] } })

    await gateway.request('POST', `/channels/${id}/play/${id}-tone?media=tone:440`)
    await call.hearsTone(440, { forMs: 400 })
    await gateway.request('DELETE', `/playbacks/${id}-tone`)

    const name = `heard-${transport}-${law}`
    await gateway.request('POST', `/channels/${id}/record?name=${name}&format=wav`)
    await gateway.event('RecordingStarted', isRecording(name))
    await call.play(toneGenerator(8_000, 700, -12)(new Int16Array(8 * 600)))
    await call.digits('1#D')
    const digits = [1, 2, 3].map(() => gateway.event('ChannelDtmfReceived', isFrom(id)))
    const received = (await Promise.all(digits)) as (AriEvent & { digit: string; duration_ms: number })[]
    expect(received.map(({ digit }) => digit)).toEqual(['1', '#', 'D'])
    expect(received.map(({ duration_ms }) => duration_ms)).toEqual([100, 100, 100])

    await gateway.request('POST', `/recordings/live/${name}/stop`)
    // Its file is whole only then.
    await gateway.event('RecordingFinished', isRecording(name))
    const wav = await gateway.file(`/recordings/stored/${name}/file`)
    const heard = new Int16Array(
      wav.buffer.slice(wav.byteOffset + WAV_HEADER_BYTES, wav.byteOffset + (wav.length & ~1)),
    )
    const tone = segments(heard, [440, 700]).find(({ hz }) => hz === 700)!
    expect(tone.toMs - tone.fromMs).toBeGreaterThanOrEqual(580)
    expect(tone.levelDb).toBeCloseTo(-12, 0)

    if (law === 'ulaw') expect(await call.hangup()).toMatchObject({ by: 'caller', how: 'bye', reason: '200 OK' })
    else await gateway.request('DELETE', `/channels/${id}`)
    expect(await call.ended).toMatchObject({ by: law === 'ulaw' ? 'caller' : 'callee', how: 'bye' })
    await gateway.event('StasisEnd', isFrom(id))
    call.vanish()
  })

  it('is told to go away as a stranger and as one who asks for somebody else', async () => {
    const stranger = await dial(transport, { localAddress: '127.0.0.2' })
    expect(await stranger.answered).toMatchObject({ kind: 'refused', status: 403 })
    const lost = await dial(transport, { user: 'nobody' })
    expect(await lost.answered).toMatchObject({ kind: 'refused', status: 404 })
    for (const call of [stranger, lost]) call.vanish()
  })

  it('gives up while it rings, and vanishes', async () => {
    const call = await dial(transport)
    const { channel } = await gateway.event('StasisStart')
    await gateway.request('POST', `/channels/${channel!.id}/ring`)
    expect(await call.hangup()).toMatchObject({ by: 'caller', how: 'cancelled' })
    expect(await call.answered).toMatchObject({ kind: 'refused', status: 487 })
    await gateway.event('StasisEnd', isFrom(channel!.id))
    call.vanish()
  })
})
