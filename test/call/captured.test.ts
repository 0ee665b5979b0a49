import { expect, it } from 'vitest'
import type { RecordingEnd } from '../../src/call/kept-events.ts'
import type { EndedRecording, Line, Recorder, WantedCapture } from '../../src/call/ports.ts'
import { FakeLeg } from '../support/fake-leg.ts'
import { answerAndWait, house } from './house.ts'

/** So many may be at once. */
function capturer(most: number) {
  const takes: { line: Line; wanted: WantedCapture; ends(why: RecordingEnd): void }[] = []
  const recorder: Recorder = {
    begin: () => {
      throw new Error('nothing is recorded here')
    },
    capture(line, wanted) {
      if (takes.length === most) return undefined
      const { promise: ended, resolve } = Promise.withResolvers<EndedRecording>()
      const ends = (why: RecordingEnd) => resolve({ why, seconds: 1.2, shedFrames: 0 })
      takes.push({ line, wanted, ends })
      return {
        ended,
        end(why) {
          ends(why)
          return ended
        },
      }
    },
  }
  return { recorder, takes }
}

it('is made of a call on demand, one at a time, and told in its record', async () => {
  const { recorder, takes } = capturer(2)
  const { clock, offer, exchange, factsOf, nothingIsLeft } = house(answerAndWait, { recorder })
  const leg = await offer(new FakeLeg('a'))
  await clock.run(1_000)
  const call = exchange.find('a')!
  const answer = call.capture(30)
  expect(answer).toEqual({ id: expect.stringMatching(/^[\w-]{22}$/) })
  expect(takes[0]!.wanted).toMatchObject({ seconds: 30, ...(answer as object) })
  expect(call.capture(30)).toBe('goesOn')
  takes[0]!.ends('tooLong')
  await clock.run(20)
  expect(call.capture(5)).not.toEqual(answer)
  await clock.settle()
  leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
  await clock.run(1_000)
  expect(call.capture(5)).toBe('noLine')
  const told = factsOf('a').filter(({ name }) => name.startsWith('capture'))
  const [first, second] = takes.map(({ wanted }) => wanted.id)
  expect(told).toEqual([
    { name: 'captureBegan', capture: first, seconds: 30 },
    { name: 'captureEnded', capture: first, seconds: 2, why: 'tooLong' },
    { name: 'captureBegan', capture: second, seconds: 5 },
    { name: 'captureEnded', capture: second, seconds: 2, why: 'callEnded' },
  ])
  nothingIsLeft()
})

it('is none where as many are as may be, or nothing can be kept', async () => {
  const { recorder } = capturer(0)
  for (const [options, answer] of [
    [{ recorder }, 'tooMany'],
    [{}, 'noLine'],
  ] as const) {
    const { clock, offer, exchange, factsOf } = house(answerAndWait, options)
    await offer(new FakeLeg('a'))
    await clock.run(1_000)
    expect(exchange.find('a')!.capture(5)).toBe(answer)
    expect(factsOf('a').some(({ name }) => name.startsWith('capture'))).toBe(false)
  }
})
