import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { FRAME_MS, FRAME_SAMPLES, SILENCE } from '../../src/media/audio.ts'
import { Playout, type PlayoutEvent } from '../../src/media/playout.ts'

const silence = SILENCE.ulaw

interface Rig {
  playout: Playout
  events: PlayoutEvent[]
  /** Takes this many frames; the bytes sent, and which frames were speech. */
  take(frames: number): { bytes: number[]; speech: boolean[] }
}

function rig(): Rig {
  const events: PlayoutEvent[] = []
  const playout = new Playout('ulaw', event => events.push(event))
  return {
    playout,
    events,
    take(frames) {
      const bytes: number[] = []
      const speech: boolean[] = []
      for (let i = 0; i < frames; i++) {
        const frame = playout.next()
        bytes.push(...frame.audio)
        speech.push(frame.speech)
      }
      return { bytes, speech }
    },
  }
}

/** Bytes that are never silence, so that what was sent can be told from what was filled in. */
function audio(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 31 + i) % 200)
}

const chunk = (utterance: number, length: number, text = '', last = false) => ({
  utterance,
  audio: audio(length, utterance),
  text,
  last,
})

describe('playout', () => {
  it('sends silence of the law when there is nothing to say', () => {
    for (const law of ['ulaw', 'alaw'] as const) {
      const frame = new Playout(law, () => {}).next()
      expect(frame.speech).toBe(false)
      expect([...frame.audio]).toEqual(Array(FRAME_SAMPLES).fill(SILENCE[law]))
    }
  })

  it('plays an utterance to its end, pads its tail and begins the next on a fresh frame', () => {
    const { playout, events, take } = rig()
    playout.write(chunk(1, 200, 'one', true))
    playout.write(chunk(2, 160, 'two', true))
    const { bytes, speech } = take(4)
    expect(bytes.slice(0, 320)).toEqual([...audio(200, 1), ...Array(120).fill(silence)])
    expect(bytes.slice(320, 480)).toEqual([...audio(160, 2)])
    expect(speech).toEqual([true, true, true, false])
    expect(events).toEqual([
      { kind: 'started', utterance: 1, atMs: 0 },
      { kind: 'finished', heard: { utterance: 1, text: 'one', ms: 25, complete: true }, atMs: 25 },
      { kind: 'started', utterance: 2, atMs: 40 },
      { kind: 'finished', heard: { utterance: 2, text: 'two', ms: 20, complete: true }, atMs: 60 },
    ])
  })

  it('waits for a full frame while an utterance may go on, and goes on at the sample where it ran dry', () => {
    const { playout, take } = rig()
    playout.write(chunk(1, 100))
    expect(playout.ready).toBe(false)
    expect(take(2).speech).toEqual([false, false])
    playout.write({ ...chunk(1, 0), audio: audio(220, 7), last: true })
    expect(playout.ready).toBe(true)
    expect(take(2).bytes).toEqual([...audio(100, 1), ...audio(220, 7)])
  })

  it('finishes an utterance whose end is told after its audio was played', () => {
    const { playout, events, take } = rig()
    playout.write(chunk(1, 160, 'Hello'))
    take(3)
    playout.write(chunk(1, 0, ' there', true))
    expect(events.at(-1)).toEqual({
      kind: 'finished',
      heard: { utterance: 1, text: 'Hello there', ms: 20, complete: true },
      atMs: 60,
    })
  })

  it('keeps the order of first chunks, also when a later utterance has its audio first', () => {
    const { playout, take } = rig()
    playout.write(chunk(1, 10))
    playout.write(chunk(2, 160, '', true))
    playout.write(chunk(1, 0, '', true))
    const { bytes } = take(2)
    expect(bytes.slice(0, 10)).toEqual([...audio(10, 1)])
    expect(bytes.slice(160)).toEqual([...audio(160, 2)])
  })

  it('silences the very next frame on pause and goes on at that sample', () => {
    const { playout, take } = rig()
    playout.write(chunk(1, 480, '', true))
    take(1)
    playout.pause()
    expect(playout.ready).toBe(false)
    expect(take(3).bytes).toEqual(Array(480).fill(silence))
    playout.resume()
    expect(take(2).bytes).toEqual([...audio(480, 1)].slice(160))
  })

  it('drops everything on cancel, late chunks too, and ends a pause', () => {
    const { playout, events, take } = rig()
    playout.write(chunk(1, 480, 'one two three'))
    playout.write(chunk(2, 480, 'never said', true))
    take(1)
    playout.pause()
    expect(playout.cancel()).toEqual([
      { utterance: 1, text: 'one', ms: 20, complete: false },
      { utterance: 2, text: '', ms: 0, complete: false },
    ])
    playout.write(chunk(1, 480, 'late', true))
    playout.write(chunk(2, 480, 'late', true))
    expect(take(2).bytes).toEqual(Array(320).fill(silence))
    expect(playout.unplayedMs).toBe(0)
    expect(playout.cancel()).toEqual([])
    playout.write(chunk(3, 160, 'new', true))
    expect(take(1).bytes).toEqual([...audio(160, 3)])
    expect(events.filter(event => event.kind === 'finished').map(event => event.heard.utterance)).toEqual([3])
  })

  it('drops late chunks of a finished utterance', () => {
    const { playout, take } = rig()
    playout.write(chunk(1, 160, 'one', true))
    take(1)
    playout.write(chunk(1, 160, 'more', true))
    expect(take(1).speech).toEqual([false])
  })

  it.each([
    [0, ''],
    [1, ''],
    [2, 'Good'],
    [5, 'Good'],
    [6, 'Good morning,'],
    [8, 'Good morning, how'],
    [10, 'Good morning, how can I'],
  ])('tells after %i of 11 frames only the words that are over: "%s"', (frames, text) => {
    const { playout, take } = rig()
    playout.write(chunk(1, 6 * 160, 'Good morning,'))
    playout.write(chunk(1, 5 * 160, ' how can I help?', true))
    take(frames)
    expect(playout.cancel()[0]?.text).toBe(text)
  })

  it('never tells words without audio before any audio was played', () => {
    const { playout } = rig()
    playout.write(chunk(1, 0, 'Hello'))
    playout.write(chunk(1, 160, ' there'))
    expect(playout.cancel()[0]?.text).toBe('')
  })

  it('tells words without audio with the audio before them, and not before', () => {
    const { playout, take } = rig()
    playout.write(chunk(1, 160, 'yes'))
    playout.write(chunk(1, 0, ' please'))
    playout.write(chunk(1, 320, ' now'))
    playout.write(chunk(1, 0, ' then'))
    take(2)
    expect(playout.cancel()[0]?.text).toBe('yes please')
  })

  it('overflows at the bound on unplayed audio: the chunk is dropped and the utterance ends where it was', () => {
    const { playout, events, take } = rig()
    const full = limits.media.unplayedMs * 8
    playout.write(chunk(1, full, 'all of it'))
    playout.write(chunk(1, 1, ' too much'))
    playout.write(chunk(1, 0, ' late', true))
    expect(events).toEqual([{ kind: 'overflowed', utterance: 1 }])
    expect(playout.unplayedMs).toBe(limits.media.unplayedMs)
    playout.write(chunk(2, 160, 'another', true))
    expect(events.slice(1)).toEqual([
      { kind: 'overflowed', utterance: 2 },
      { kind: 'finished', heard: { utterance: 2, text: '', ms: 0, complete: false }, atMs: 0 },
    ])
    expect(playout.overflows).toBe(2)
    for (let i = 0; i < full / 160; i++) playout.next()
    expect(events.at(-1)).toEqual({
      kind: 'finished',
      heard: { utterance: 1, text: 'all of it', ms: limits.media.unplayedMs, complete: false },
      atMs: limits.media.unplayedMs,
    })
    playout.write(chunk(3, 160, 'again', true))
    expect(take(1).speech).toEqual([true])
  })

  it('bounds pieces and text, not audio alone', () => {
    const pieces = rig()
    for (let i = 0; i < limits.media.unplayedChunks + 5; i++) pieces.playout.write(chunk(i, 0, '', false))
    expect(pieces.playout.overflows).toBe(5)
    expect(pieces.playout.cancel()).toHaveLength(limits.media.unplayedChunks)
    pieces.playout.write(chunk(1e6, 160))
    expect(pieces.playout.ready).toBe(true)

    const flowing = rig()
    for (let i = 0; i <= limits.media.unplayedChunks; i++) {
      flowing.playout.write(chunk(1, 160))
      flowing.playout.next()
    }
    flowing.playout.write(chunk(1, 0, '', true))
    for (let i = 2; i <= limits.media.unplayedChunks + 2; i++) flowing.playout.write(chunk(i, 0, '', true))
    expect(flowing.playout.overflows).toBe(0)

    const words = rig()
    words.playout.write(chunk(1, 160, 'x'.repeat(limits.media.utteranceChars)))
    words.playout.write(chunk(1, 160, 'y'))
    expect(words.playout.overflows).toBe(1)
  })
})

type Step =
  | { do: 'write'; utterance: number; length: number; text: string; last: boolean }
  | { do: 'next' | 'pause' | 'resume' | 'cancel' }

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ do: 'next' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      utterance: fc.nat(5),
      length: fc.oneof(fc.nat(700), fc.constantFrom(0, 1, 159, 160, 161)),
      text: fc.constantFrom('', 'yes', ' of course', 'one two three '),
      last: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'pause' }, { do: 'resume' }, { do: 'cancel' }) },
)

/** The plainest playout there can be: each utterance one flat list of bytes. */
class Model {
  queue: { id: number; bytes: number[]; played: number; words: string; ended: boolean }[] = []
  newest = -1
  paused = false

  write(id: number, bytes: number[], text: string, last: boolean): void {
    let found = this.queue.find(each => each.id === id)
    if (!found) {
      if (id <= this.newest) return
      this.newest = id
      found = { id, bytes: [], played: 0, words: '', ended: false }
      this.queue.push(found)
    }
    if (found.ended) return
    found.bytes.push(...bytes)
    found.words += text
    found.ended = last
    this.forgetDone()
  }

  next(): number[] {
    const head = this.queue[0]
    const left = head ? head.bytes.length - head.played : 0
    if (this.paused || !head || left === 0 || (left < FRAME_SAMPLES && !head.ended)) return []
    const sent = head.bytes.slice(head.played, head.played + FRAME_SAMPLES)
    head.played += sent.length
    this.forgetDone()
    return sent
  }

  forgetDone(): void {
    while (this.queue[0]?.ended && this.queue[0].played === this.queue[0].bytes.length) this.queue.shift()
  }
}

describe('playout, in any order of its calls', () => {
  it('sends what came in exactly in order, tells what was sent, and is silent when paused or cancelled', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const { playout, events } = rig()
        const model = new Model()
        const said = new Map<number, string>()
        const sentBytes = new Map<number, number>()
        const told = new Map<number, { ms: number; text: string }>()
        let written = 0
        for (const each of steps) {
          if (each.do === 'write') {
            const bytes = [...audio(each.length, written++)]
            const { utterance, text, last } = each
            const wanted = !model.queue.find(one => one.id === utterance)?.ended
            if (wanted && (utterance > model.newest || model.queue.some(one => one.id === utterance)))
              said.set(utterance, (said.get(utterance) ?? '') + text)
            model.write(utterance, bytes, text, last)
            playout.write({ utterance, audio: Uint8Array.from(bytes), text, last })
          } else if (each.do === 'next') {
            const head = model.queue[0]?.id
            const ready = playout.ready
            const expected = model.next()
            const frame = playout.next()
            expect(frame.speech).toBe(expected.length > 0)
            expect(frame.speech).toBe(ready)
            expect([...frame.audio]).toEqual([...expected, ...Array(FRAME_SAMPLES - expected.length).fill(silence)])
            if (expected.length > 0) sentBytes.set(head!, (sentBytes.get(head!) ?? 0) + expected.length)
          } else if (each.do === 'cancel') {
            const heard = playout.cancel()
            expect(heard.map(one => one.utterance)).toEqual(model.queue.map(one => one.id))
            for (const one of heard) {
              expect(one.complete).toBe(false)
              told.set(one.utterance, one)
            }
            model.queue = []
            model.paused = false
          } else {
            playout[each.do]()
            model.paused = each.do === 'pause'
          }
          expect(playout.unplayedMs * 8).toBe(model.queue.reduce((sum, one) => sum + one.bytes.length - one.played, 0))
        }
        for (const event of events) {
          if (event.kind === 'finished') {
            expect(told.has(event.heard.utterance)).toBe(false)
            expect(event.heard.complete).toBe(true)
            expect(event.heard.text).toBe(said.get(event.heard.utterance))
            told.set(event.heard.utterance, event.heard)
          }
        }
        for (const [id, heard] of told) {
          expect(heard.ms * 8).toBe(sentBytes.get(id) ?? 0)
          expect(said.get(id)?.startsWith(heard.text)).toBe(true)
        }
        expect(events.filter(event => event.kind === 'started').map(event => event.utterance)).toEqual([
          ...sentBytes.keys(),
        ])
      }),
      { numRuns: 300 },
    )
  })

  it('never tells a word before all audio up to its end was sent', () => {
    const words = ['well', 'certainly', 'a', 'table', 'for', 'two']
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.nat(14), (length, frames) => {
        const { playout, take } = rig()
        const text = words.join(' ')
        playout.write(chunk(1, length, text))
        take(frames)
        const [heard] = playout.cancel()
        const share = (heard!.ms * 8) / length
        expect(heard!.text.length).toBeLessThanOrEqual(text.length * share)
        expect(words.join(' ').startsWith(heard!.text)).toBe(true)
        expect(heard!.text === '' || words.includes(heard!.text.split(' ').at(-1)!)).toBe(true)
        expect(heard!.ms).toBeLessThanOrEqual(frames * FRAME_MS)
      }),
      { numRuns: 100 },
    )
  })
})
