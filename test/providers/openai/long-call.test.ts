import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { toneSettings } from '../../agent/house.ts'
import { type Call, call } from './house.ts'

const MINUTE_MS = 60_000
/** A call of 70 minutes when it is to be sure, and in every run the first of them. */
const minutes = process.env['PARLEY_SOAK'] === '1' ? { warm: 10, all: 70 } : { warm: 4, all: 14 }
/** With a turn every few seconds, once most bounds on what is remembered are reached: less than a frame of sound a second. */
const GROWTH_BYTES = 1_500_000
const TURN_MS = 2_600

/** Of what lives, without the code that is compiled on the way. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => /^(old|new|large_object)_space$/.test(space_name))
  return spaces.reduce((bytes, { space_used_size }) => bytes + space_used_size, 0)
}

/** What the test itself keeps of it: the sound, the record, the double's own notes. */
function forget({ house, api }: Call): void {
  house.line.forget()
  house.facts.length = 0
  for (const { received, closed } of api.sessions) if (closed || received.length > 0) received.length = 0
}

async function talkUntil(stage: Call, minutes: number): Promise<void> {
  const { house } = stage
  for (let turn = 0; house.clock.now() < minutes * MINUTE_MS; turn++) {
    house.says(1_300, turn % 10 === 9 ? 120 : 600)
    await house.run(TURN_MS)
    forget(stage)
  }
}

it('a long call goes over to another session on the way, and takes no more memory at its end', async () => {
  const turn = { ...toneSettings.turn, durationMs: 80 * MINUTE_MS, noInputMs: [MINUTE_MS] }
  const stage = call({ settings: { ...toneSettings, turn } })
  const { house, api } = stage
  await house.run(900)
  await talkUntil(stage, minutes.warm)
  const before = heapBytes()
  await talkUntil(stage, minutes.all)
  const after = heapBytes()
  expect(after - before).toBeLessThan(GROWTH_BYTES)
  expect(api.sessions).toHaveLength(1 + Math.floor((minutes.all * MINUTE_MS) / limits.openai.rotateMs.first))
  expect(house.outcome).toBeUndefined()
  expect(api.problems).toEqual([])
  // The measure would notice one frame of the caller's sound kept of each second of an hour.
  const kept = Array.from({ length: 60 * 60 }, () => new Array(160).fill(0.5))
  expect(heapBytes() - before).toBeGreaterThan(GROWTH_BYTES)
  expect(kept).toHaveLength(3_600)
  house.says(1_500)
  await house.run(3_000)
  expect(house.hertz.at(-1)).toBe(750)
  await house.hangUp()
  expect(house.clock.pending).toBe(0)
}, 120_000)
