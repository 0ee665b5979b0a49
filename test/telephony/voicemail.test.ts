import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { type FallbackVoicemail, readVoicemailName } from '../../src/telephony/voicemail.ts'
import { until } from '../support/until.ts'
import { fakeAri, Gateway } from './harness.ts'

const NAME = 'voicemail-1795226333-+15550001-parley-1a-1795226300.7'

/** A gateway that notes the voicemails it is offered, and does with each what the test says. */
async function collecting(
  asterisk: Awaited<ReturnType<typeof fakeAri>>,
  keep: (voicemail: FallbackVoicemail) => Promise<void>,
) {
  const parley = new Gateway(asterisk)
  const offered: FallbackVoicemail[] = []
  parley.onVoicemail = async voicemail => {
    offered.push(voicemail)
    await keep(voicemail)
  }
  await parley.start()
  return { parley, offered }
}

describe('a voicemail of the fallback', () => {
  it('is found at the start, fetched to the byte and removed', async () => {
    const asterisk = await fakeAri()
    asterisk.recordings.set(NAME, Buffer.from([0x52, 0x49, 0xff, 0x00]))
    asterisk.recordings.set('greeting', Buffer.from('x'))
    const fetched: Uint8Array[] = []
    const { offered } = await collecting(asterisk, async voicemail => {
      fetched.push(await voicemail.fetch())
      await voicemail.remove()
    })
    await until(() => !asterisk.recordings.has(NAME))
    expect(offered).toMatchObject([
      { name: NAME, call: 'parley-1a-1795226300.7', atMs: 1_795_226_333_000, callerNumber: '+15550001' },
    ])
    expect([...(fetched[0] ?? [])]).toEqual([0x52, 0x49, 0xff, 0x00])
    expect([...asterisk.recordings.keys()]).toEqual(['greeting'])
  })

  it('is offered only when its caller has hung up', async () => {
    const asterisk = await fakeAri()
    const id = asterisk.call()
    asterisk.takeBack(id)
    asterisk.recordings.set(`voicemail-1795226333-unknown-${id}`, Buffer.from('x'))
    const { parley, offered } = await collecting(asterisk, voicemail => voicemail.remove())
    await parley.sweep()
    expect(offered).toEqual([])
    asterisk.hangUp(id)
    await parley.sweep()
    await until(() => offered.length > 0)
    expect(offered[0]?.callerNumber).toBeUndefined()
  })

  it('is offered once, also when it was not removed', async () => {
    const asterisk = await fakeAri()
    asterisk.recordings.set(NAME, Buffer.from('x'))
    const { parley, offered } = await collecting(asterisk, async () => {})
    await parley.sweep()
    await parley.sweep()
    expect(offered.length).toBe(1)
  })

  it('that could not be stored is offered again; the trouble holds no word of the file', async () => {
    const asterisk = await fakeAri()
    asterisk.recordings.set(NAME, Buffer.from('x'))
    let failures = 2
    const { parley, offered } = await collecting(asterisk, async voicemail => {
      if (failures-- === 2) throw new Error(`ENOSPC: no space left, write ${NAME}`)
      if (failures === 0) throw new GatewayError('STATE_UNWRITABLE', 'The disk is full.')
      await voicemail.remove()
    })
    await until(() => offered.length === 1)
    await parley.sweep()
    await until(() => offered.length === 2)
    await parley.sweep()
    await until(() => !asterisk.recordings.has(NAME))
    expect(parley.troubles.map(({ code, message }) => [code, message])).toEqual([
      ['STATE_UNWRITABLE', 'A voicemail was not picked up and will be tried again. It could not be stored.'],
      ['STATE_UNWRITABLE', 'A voicemail was not picked up and will be tried again. The disk is full.'],
    ])
  })

  it('is collected one at a time, and not twice by overlapping sweeps', async () => {
    const asterisk = await fakeAri()
    asterisk.recordings.set(NAME, Buffer.from('x'))
    asterisk.recordings.set(`${NAME}1`, Buffer.from('x'))
    const storing = Promise.withResolvers<void>()
    const { parley, offered } = await collecting(asterisk, () => storing.promise)
    await parley.pass(2 * limits.ari.sweepMs)
    expect(offered.length).toBe(1)
    storing.resolve()
    await until(() => offered.length === 2)
  })
})

describe('the name of a voicemail', () => {
  it.each([
    ['+15550001', '+15550001'],
    ['15550001', '15550001'],
    ['unknown', undefined],
    ['+', undefined],
    ['1+1', undefined],
  ])('of %s tells who has left it: %s', (written, callerNumber) => {
    const told = { call: '1.1', atMs: 1_000, callerNumber }
    expect(readVoicemailName(`voicemail-1-${written}-1.1`)).toMatchObject(told)
  })

  it.each([
    'voicemail-1795226333-12',
    'voicemail--12-1.1',
    'voicemail-x-12-1.1',
    'voicemail-1-1a-1.1',
    'my-voicemail-1-2-3',
    'voicemail-1234567890123-2-3',
    '',
  ])('is not %s', name => {
    expect(readVoicemailName(name)).toBeUndefined()
  })
})
