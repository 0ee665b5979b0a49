import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import { word } from '../../../src/caller/voice.ts'
import { limits } from '../../../src/limits.ts'
import { seeded } from '../../support/random.ts'
import { SmallDisk } from '../../support/small-disk.ts'
import { greeted, House } from '../gateway/house.ts'

/** What must stay free for anything to be recorded, and what a gateway takes besides. */
const DISK_MB = limits.recording.diskBytes.least / 1e6 + 150

type Ended = Extract<CallEvent['fact'], { name: 'recordingEnded' }>

it('a disk that is full under everything ends a recording and no call; with room the next call is recorded again', async () => {
  await using disk = await SmallDisk.open(DISK_MB)
  await using house = await House.open({
    ...{ disk, database: 'embedded', environment: { LEASE_SECONDS: '60' } },
    business: { recording: { enabled: true, announcement: '[tone 500 400ms]' } },
  })
  const speaks = async (call: Awaited<ReturnType<House['dial']>>, markerHz: number, replyHz: number) => {
    const f0 = 130 + (markerHz % 7) * 10
    await call.play(word({ f0, markerHz, ms: 600, level: -16, random: seeded(markerHz) }))
    await call.hearsTone(replyHz, { forMs: 700 })
  }
  const full = async () => /^parley_recording_disk_full (\d)$/m.exec((await house.get<string>('/metrics')).body)?.[1]
  const ends = async () =>
    (await house.events()).flatMap(({ fact }) => (fact.name === 'recordingEnded' ? [fact as Ended] : []))

  const first = await greeted(await house.dial())
  expect(await full()).toBe('0')
  disk.fill()
  await house.until(async () => (await full()) === '1')
  await house.until(async () => house.log.some(line => line.includes('nothing is recorded until there are')))
  const { status, body } = await house.get('/readyz')
  expect([status, JSON.stringify(body)]).toEqual([200, expect.stringContaining('nothing is recorded')])
  await speaks(first, 1_300, 650)

  disk.free()
  await house.until(async () => (await ends()).length > 0)
  const [ended] = await ends()
  expect(ended).toMatchObject({ why: 'diskFull' })
  expect(ended!.seconds).toBeGreaterThan(0)
  // That one is over for good, and its caller still has the agent.
  await speaks(first, 3_100, 700)
  await first.hangup()

  const second = await greeted(await house.dial())
  await house.until(async () => (await full()) === '0')
  await speaks(second, 1_300, 650)
  await second.hangup()
  await house.until(async () => (await ends()).length === 2)
  expect((await ends())[1]).toMatchObject({ why: 'callEnded', shedFrames: 0 })
  await house.isEmpty()
  const rows = await house.get<{ recordings: { endedWhy: string }[] }>('/v1/recordings')
  expect(rows.body.recordings.map(({ endedWhy }) => endedWhy)).toEqual(['callEnded', 'diskFull'])
  expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(disk.path)
})
