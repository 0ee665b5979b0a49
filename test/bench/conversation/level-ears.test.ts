import { expect, it } from 'vitest'
import { LevelEars } from '../../../bench/conversation/level-ears.ts'
import { markedVoice } from '../../../bench/conversation/marks.ts'
import { encode } from '../../../src/media/g711.ts'

function ears(silenceMs: number) {
  const told: unknown[] = []
  const listener = {
    started: (atMs: number) => told.push({ started: atMs }),
    stopped: (atMs: number, text: string) => told.push({ stopped: atMs, text }),
  }
  const hearing = new LevelEars('ulaw', silenceMs, listener, mark => told.push({ mark }))
  const hear = (samples: Int16Array) => {
    const audio = new Uint8Array(samples.length)
    encode('ulaw', samples, audio)
    hearing.hear(audio)
  }
  return { told, hear }
}

const silence = (ms: number) => new Int16Array(8 * ms)

it('tells where a voice begins and ends, its mark before anything else, and its words', () => {
  const { told, hear } = ears(100)
  hear(silence(40))
  hear(markedVoice(7, 40))
  hear(silence(80))
  expect(told).toEqual([{ mark: 7 }, { started: 40 }, { mark: 7 }])
  hear(silence(40))
  expect(told.slice(3)).toEqual([{ stopped: 80, text: 'mark 7' }])
  hear(silence(400))
  hear(markedVoice(8, 20))
  expect(told.slice(4)).toEqual([{ mark: 8 }, { started: 600 }])
})

it('takes two voices with a short silence between them for one', () => {
  const { told, hear } = ears(100)
  hear(markedVoice(7, 20))
  hear(silence(80))
  hear(markedVoice(7, 20))
  hear(silence(100))
  expect(told).toEqual([{ mark: 7 }, { started: 0 }, { mark: 7 }, { stopped: 120, text: 'mark 7' }])
})
