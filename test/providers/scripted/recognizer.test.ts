import { describe, expect, it } from 'vitest'
import type { Hearing } from '../../../src/agent/ports.ts'
import { word } from '../../../src/caller/voice.ts'
import { FRAME_SAMPLES } from '../../../src/media/audio.ts'
import { scriptedRecognizer } from '../../../src/providers/scripted/recognizer.ts'
import { seeded } from '../../support/random.ts'
import { clicks, throughLine } from '../../support/sounds.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const LATENCY_MS = 50

function ear() {
  const clock = new VirtualClock()
  const closing = new AbortController()
  const opened = scriptedRecognizer({ clock, latencyMs: LATENCY_MS }).open(
    { encoding: 'ulaw', rate: 8_000 },
    closing.signal,
  )
  const heard: (Hearing & { readonly atMs: number })[] = []
  const done = (async () => {
    for await (const hearing of opened.results) heard.push({ ...hearing, atMs: clock.now() })
  })()
  let timeMs = 0
  const hear = async (samples: Int16Array) => {
    for (let at = 0; at < samples.length; at += FRAME_SAMPLES) {
      const frame = new Int16Array(FRAME_SAMPLES)
      frame.set(samples.subarray(at, at + FRAME_SAMPLES))
      opened.write(frame, timeMs, 'heard')
      timeMs += 20
      await clock.run(20)
    }
  }
  const silence = (ms: number) => hear(new Int16Array(ms * 8))
  return { clock, opened, heard, hear, silence, close: () => closing.abort(), done }
}

const spoken = (markerHz: number, ms = 600, f0 = 150, seed = markerHz) =>
  throughLine(Float64Array.from(word({ f0, markerHz, ms, level: -20, random: seeded(seed) })))

describe('the scripted recognizer', () => {
  it('tells the marker of a word, first as a guess while it is spoken, then for good', async () => {
    const { heard, hear, silence } = ear()
    await silence(200)
    await hear(spoken(1_300))
    await silence(500)
    expect(heard.map(({ kind, text }) => `${kind} ${text}`)).toEqual(['partial tone 1300', 'final tone 1300'])
    expect(heard[0]).toMatchObject({ startMs: 200 })
    expect(heard[0]!.atMs).toBeLessThan(200 + 300 + LATENCY_MS + 60)
    expect(heard[1]!.endMs).toBeGreaterThan(740)
    expect(heard[1]!.endMs).toBeLessThanOrEqual(800)
  })

  it('tells every marker of the grid, whoever speaks', async () => {
    for (let hz = 300; hz <= 3_300; hz += 100) {
      for (const f0 of [110, 165, 220]) {
        const { heard, hear, silence } = ear()
        await hear(spoken(hz, 500, f0))
        await silence(360)
        expect(heard.at(-1)?.text).toBe(`tone ${hz}`)
      }
    }
  })

  it('takes a word without a marker for speech', async () => {
    for (const f0 of [110, 150, 200]) {
      const { heard, hear, silence } = ear()
      await hear(spoken(0, 700, f0))
      await silence(400)
      expect(heard.at(-1)).toMatchObject({ kind: 'final', text: 'speech' })
    }
  })

  it('tells two words apart', async () => {
    const { heard, hear, silence } = ear()
    await hear(spoken(900))
    await silence(400)
    await hear(spoken(1_700))
    await silence(400)
    expect(heard.filter(({ kind }) => kind === 'final').map(({ text }) => text)).toEqual(['tone 900', 'tone 1700'])
  })

  it('has nothing to say about clicks and silence', async () => {
    const { heard, hear, silence } = ear()
    const random = seeded(1)
    for (let i = 0; i < 10; i++) {
      await hear(throughLine(clicks(200, random).map(sample => sample * 8_000)))
      await silence(340)
    }
    expect(heard).toEqual([])
  })

  it('says finally what it has when the turn is over', async () => {
    const { heard, hear, opened, clock } = ear()
    await hear(spoken(1_300, 500))
    opened.finish()
    await clock.run(LATENCY_MS)
    expect(heard.at(-1)).toMatchObject({ kind: 'final', text: 'tone 1300' })
    opened.finish()
    await clock.run(LATENCY_MS)
    expect(heard).toHaveLength(2)
  })

  it('ends with its signal and leaves no timer', async () => {
    const { hear, close, done, clock } = ear()
    await hear(spoken(1_300, 320))
    close()
    await done
    expect(clock.pending).toBe(0)
  })
})
