import { describe, expect, it } from 'vitest'
import type { Speaker } from '../../src/agent/ports.ts'
import { Voice, type Voiced } from '../../src/agent/voice.ts'
import type { AudioFormat } from '../../src/media/audio.ts'
import { decode } from '../../src/media/g711.ts'
import { toneGenerator, toneLevelDb } from '../../src/media/tone.ts'
import { seeded } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const { signal } = new AbortController()
const clock = new VirtualClock()

function speaker(format: AudioFormat, pieces: readonly Uint8Array[]): Speaker {
  return {
    format,
    async *speak() {
      yield* pieces
    },
  }
}

async function spoken(voice: Voice, text = 'one two three four'): Promise<Voiced> {
  const all: Voiced[] = []
  for await (const voiced of voice.speak(text, signal)) all.push(voiced)
  return { audio: Uint8Array.from(all.flatMap(({ audio }) => [...audio])), text: all.map(each => each.text).join('') }
}

function cut(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + Math.floor(random() * 999))
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}

describe('the voice of a line', () => {
  it('passes on what is in its law already', async () => {
    const audio = Uint8Array.from({ length: 1_000 }, (_, i) => i % 256)
    const voice = new Voice(speaker({ encoding: 'alaw', rate: 8_000 }, cut(audio, seeded(1))), 'alaw', clock, 1_000)
    expect(await spoken(voice)).toEqual({ audio, text: 'one two three four' })
  })

  it('recodes samples, however they are cut', async () => {
    const samples = toneGenerator(24_000, 1_000, -12)(new Int16Array(24_000))
    const bytes = new Uint8Array(samples.buffer)
    const format = { encoding: 'pcm16', rate: 24_000 } as const
    const whole = await spoken(new Voice(speaker(format, [bytes]), 'ulaw', clock, 1_000))
    const odd = await spoken(new Voice(speaker(format, cut(bytes, seeded(2))), 'ulaw', clock, 1_000))
    expect(odd).toEqual(whole)
    expect(Math.abs(whole.audio.length - 8_000)).toBeLessThanOrEqual(80)
    const heard = new Int16Array(whole.audio.length)
    decode('ulaw', whole.audio, heard)
    expect(toneLevelDb(heard.subarray(100, 7_900), 8_000, 1_000)).toBeCloseTo(-12, 0)
  })

  it('begins each text anew: no half sample of an earlier one is left', async () => {
    const format = { encoding: 'pcm16', rate: 8_000 } as const
    const bytes = new Uint8Array(toneGenerator(8_000, 500, -12)(new Int16Array(800)).buffer)
    const odd = new Voice(speaker(format, [bytes.subarray(0, 1_001)]), 'ulaw', clock, 1_000)
    const first = await spoken(odd)
    expect(await spoken(odd)).toEqual(first)
    expect(first.audio).toHaveLength(500)
  })

  it('does not wait for ever', async () => {
    const time = new VirtualClock()
    const stuck: Speaker = {
      format: { encoding: 'ulaw', rate: 8_000 },
      speak: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
    }
    const failed = expect(spoken(new Voice(stuck, 'ulaw', time, 3_000))).rejects.toThrow('3000 ms')
    await time.run(3_000)
    await failed
  })
})
