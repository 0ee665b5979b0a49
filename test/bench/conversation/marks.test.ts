import { expect, it } from 'vitest'
import { markedVoice, markOf } from '../../../bench/conversation/marks.ts'
import { isLoud } from '../../../bench/conversation/sounds.ts'
import { encode } from '../../../src/media/g711.ts'

const laws = ['ulaw', 'alaw'] as const

it('tells in every packet of a voice which utterance it belongs to, through either law', () => {
  for (const law of laws) {
    for (const mark of [0, 1, 0x123456, 0xfedcba, 0xffffff]) {
      const samples = markedVoice(mark, 60)
      const audio = new Uint8Array(samples.length)
      encode(law, samples, audio)
      const marks = [0, 160, 320].map(at => markOf(law, audio.subarray(at, at + 160)))
      expect(marks).toEqual([mark, mark, mark])
      expect(samples.every(isLoud)).toBe(true)
    }
  }
})

it('takes silence for no mark', () => {
  for (const law of laws) {
    const audio = new Uint8Array(160)
    encode(law, new Int16Array(160), audio)
    expect(markOf(law, audio)).toBeUndefined()
  }
})
