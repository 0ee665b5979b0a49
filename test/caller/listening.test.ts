import { describe, expect, it } from 'vitest'
import { Listening } from '../../src/caller/listening.ts'
import { Recording } from '../../src/caller/recording.ts'
import { toneGenerator } from '../../src/media/tone.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

class Ear {
  readonly clock = new VirtualClock()
  readonly recording = new Recording()
  readonly listening = new Listening(this.clock, this.recording)
  #timestamp = 0

  /** A tone, or silence for 0 Hz, in frames of 20 ms as time passes. */
  hear(hz: number, ms: number, level = -12): void {
    const fill = toneGenerator(8_000, hz, level)
    for (let at = 0; at < ms; at += 20) {
      this.recording.write(1, this.#timestamp, fill(new Int16Array(160)), this.clock.now())
      this.#timestamp += 160
      this.listening.heardMore()
      this.clock.advance(20)
    }
  }

  /** No packet comes, while time passes. */
  miss(ms: number): void {
    this.#timestamp += 8 * ms
    this.clock.advance(ms)
  }
}

describe('listening for a tone', () => {
  it('finds it at once when it has lasted, and where it began', async () => {
    const ear = new Ear()
    const found = ear.listening.hearsTone(440, { forMs: 200 })
    ear.hear(0, 100)
    ear.hear(700, 300)
    ear.hear(440, 180)
    await expect(Promise.race([found, Promise.resolve('waiting')])).resolves.toBe('waiting')
    ear.hear(440, 20)
    expect(await found).toEqual({ fromMs: 400, toMs: 600 })
    expect(ear.clock.pending).toBe(0)
  })

  it('wants it whole', async () => {
    const ear = new Ear()
    const found = ear.listening.hearsTone(440, { forMs: 200 })
    for (let i = 0; i < 3; i++) {
      ear.hear(440, 180)
      ear.hear(0, 20)
    }
    ear.hear(440, 200)
    expect(await found).toEqual({ fromMs: 600, toMs: 800 })
  })

  it('goes on where the last sound was found, so that nothing is missed between two waits', async () => {
    const ear = new Ear()
    ear.hear(440, 200)
    ear.hear(0, 200)
    ear.hear(700, 200)
    expect(await ear.listening.hearsTone(440, { forMs: 100 })).toEqual({ fromMs: 0, toMs: 100 })
    expect(await ear.listening.hearsTone(440, { forMs: 100 })).toEqual({ fromMs: 100, toMs: 200 })
    expect(await ear.listening.hearsSilence(200)).toEqual({ fromMs: 200, toMs: 400 })
    expect(await ear.listening.hearsTone(700, { forMs: 200 })).toEqual({ fromMs: 400, toMs: 600 })
    expect(await ear.listening.hearsTone(440, { forMs: 100, sinceMs: 40 })).toEqual({ fromMs: 40, toMs: 140 })
  })

  it('takes a hole for neither sound nor silence: what was lost counts for nothing and breaks nothing', async () => {
    const ear = new Ear()
    const tone = ear.listening.hearsTone(440, { forMs: 300 })
    const silence = ear.listening.hearsSilence(100)
    ear.hear(440, 180)
    ear.miss(140)
    ear.hear(440, 120)
    expect(await tone).toEqual({ fromMs: 0, toMs: 440 })
    ear.miss(200)
    ear.hear(0, 60)
    ear.miss(20)
    await expect(Promise.race([silence, Promise.resolve('waiting')])).resolves.toBe('waiting')
    ear.hear(0, 40)
    expect(await silence).toEqual({ fromMs: 640, toMs: 760 })
  })

  it('begins anew after a hole in which anything may have been', async () => {
    const ear = new Ear()
    const found = ear.listening.hearsTone(440, { forMs: 200 })
    ear.hear(440, 180)
    ear.miss(220)
    ear.hear(440, 200)
    expect(await found).toEqual({ fromMs: 400, toMs: 600 })
  })

  it('rejects in words that tell what was heard instead', async () => {
    const ear = new Ear()
    const found = ear.listening.hearsTone(440, { forMs: 200, timeoutMs: 1_000 })
    ear.hear(0, 400)
    ear.hear(700, 600)
    await expect(found).rejects.toThrow(
      '440 Hz for 200 ms was not heard: not within 1000 ms; ' +
        'heard from 0 ms on: 0-400 ms silence, 400-1000 ms about 700 Hz at -12 dB',
    )
  })

  it('rejects when the call ends, and from then on at once, but still finds what was heard before', async () => {
    const ear = new Ear()
    const found = ear.listening.hearsSilence(200)
    ear.hear(440, 200)
    ear.listening.ended('the call has ended')
    await expect(found).rejects.toThrow(
      /^silence for 200 ms was not heard: the call has ended; heard from 0 ms on: \d-200 ms about 450 Hz at -12 dB$/,
    )
    await expect(ear.listening.hearsTone(700, { forMs: 20 })).rejects.toThrow('the call has ended')
    expect(await ear.listening.hearsTone(440, { forMs: 200 })).toEqual({ fromMs: 0, toMs: 200 })
    expect(ear.clock.pending).toBe(0)
  })

  it('does not hear what is too soft', async () => {
    const ear = new Ear()
    const found = ear.listening.hearsTone(440, { forMs: 100, timeoutMs: 400 })
    ear.hear(440, 200, -44)
    ear.hear(440, 100, -36)
    expect(await found).toEqual({ fromMs: 200, toMs: 300 })
  })

  it('lets several wait at a time', async () => {
    const ear = new Ear()
    const both = Promise.all([
      ear.listening.hearsTone(440, { forMs: 100 }),
      ear.listening.hearsTone(700, { forMs: 100 }),
      ear.listening.hearsSilence(60),
    ])
    ear.hear(700, 100)
    ear.hear(440, 100)
    ear.hear(0, 60)
    expect(await both).toEqual([
      { fromMs: 100, toMs: 200 },
      { fromMs: 0, toMs: 100 },
      { fromMs: 200, toMs: 260 },
    ])
  })
})
