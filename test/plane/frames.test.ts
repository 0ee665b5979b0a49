import { describe, expect, it } from 'vitest'
import { FRAME_SAMPLES } from '../../src/media/audio.ts'
import { FrameCollector, forEachFrame, frameCount } from '../../src/plane/frames.ts'
import type { FrameBatch } from '../../src/plane/protocol.ts'

function read(batch: FrameBatch) {
  const frames: unknown[] = []
  forEachFrame(batch, (line, direction, audio, timeMs, kind) => {
    frames.push({ line, direction, audio: [...new Set(audio)], bytes: audio.length, timeMs, kind })
  })
  return frames
}

describe('a batch of frames', () => {
  it('gives back each frame as it was put in, however many there are', () => {
    const collector = new FrameCollector()
    const kinds = ['heard', 'concealed', 'missing'] as const
    const frame = new Uint8Array(FRAME_SAMPLES)
    for (let line = 0; line < 200; line++) {
      frame.fill(line)
      collector.add(line, 'received', frame, line * 20, kinds[line % 3]!)
    }
    collector.add(7, 'sent', frame.fill(9), 60, 'heard')
    const batch = collector.take()
    expect(frameCount(batch)).toBe(201)
    const frames = read(batch)
    expect(frames.slice(0, 200)).toEqual(
      Array.from({ length: 200 }, (_, line) => ({
        line,
        direction: 'received',
        audio: [line],
        bytes: FRAME_SAMPLES,
        timeMs: line * 20,
        kind: kinds[line % 3],
      })),
    )
    expect(frames[200]).toMatchObject({ line: 7, direction: 'sent', audio: [9], timeMs: 60, kind: 'heard' })
  })

  it('leaves an empty collector behind, and holds no more than its frames', () => {
    const collector = new FrameCollector()
    collector.add(1, 'received', new Uint8Array(FRAME_SAMPLES), 0, 'heard')
    const { heads, audio } = collector.take()
    expect([heads.buffer.byteLength, audio.buffer.byteLength]).toEqual([3 * 8, FRAME_SAMPLES])
    expect(collector.count).toBe(0)
    expect(read(collector.take())).toEqual([])
  })
})
