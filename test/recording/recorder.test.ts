import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Line } from '../../src/call/ports.ts'
import { systemClock } from '../../src/clock.ts'
import { FRAME_SAMPLES } from '../../src/media/audio.ts'
import type { PlaneHandle } from '../../src/plane/handle.ts'
import { openPlane } from '../../src/plane/open-plane.ts'
import { AU_HEADER_BYTES } from '../../src/recording/au.ts'
import { recordingThread } from '../../src/recording/open-recorder.ts'
import { Recorders } from '../../src/recording/recorder.ts'

const threads: Worker[] = []
process.on('worker', (worker: Worker) => threads.push(worker))

let folder = ''
let plane: PlaneHandle
let recorders: Recorders
let far: Socket
let trouble: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-recorder-'))
  trouble = []
  threads.length = 0
  plane = openPlane({ forbiddenPorts: { start: 10_000, end: 10_100 }, onTrouble: text => trouble.push(text) })
  recorders = new Recorders({
    ...{ clock: systemClock, plane, connectKeeper: recordingThread },
    folders: {
      both: join(folder, 'recordings'),
      caller: join(folder, 'voicemail'),
      captures: join(folder, 'captures'),
    },
    trouble: text => trouble.push(text),
  })
  far = createSocket('udp4')
  far.bind(0, '127.0.0.1')
  await once(far, 'listening')
})
afterEach(async () => {
  await recorders.close()
  await plane.close()
  far.close()
  rmSync(folder, { recursive: true })
})

async function connected(): Promise<Line> {
  const line = await plane.open('ulaw')
  line.connect({ address: '127.0.0.1', port: far.address().port })
  return line
}

function record(line: Line, id: string) {
  const wanted = { id, sides: 'both', beganAtMs: Date.now(), mostMs: 60_000 } as const
  return recorders.of('1.2', 'praxis').begin(line, wanted)
}

/** So many frames have left. */
async function frames(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await once(far, 'message')
}

const soundOf = (id: string) => readFileSync(join(folder, 'recordings', `${id}.au`)).subarray(AU_HEADER_BYTES)
const spokenIn = (id: string) => soundOf(id).filter(byte => byte === 77).length

function says(line: Line, utterance: number): void {
  line.speak({ utterance, audio: new Uint8Array(10 * FRAME_SAMPLES).fill(77), text: '', last: true })
}

describe('recordings by threads of their own', () => {
  it('have what was said on each line, and are told with their length', async () => {
    const lines = await Promise.all([connected(), connected()])
    const kept = lines.map((line, index) => record(line, `line${index}`))
    for (const [index, line] of lines.entries()) says(line, index + 1)
    await frames(60)
    const ended = await Promise.all(kept.map(each => each.end('callEnded')))
    for (const [index, { why, seconds, shedFrames }] of ended.entries()) {
      expect({ why, shedFrames }).toEqual({ why: 'callEnded', shedFrames: 0 })
      expect(soundOf(`line${index}`)).toHaveLength(seconds * 16_000)
      expect(spokenIn(`line${index}`)).toBe(10 * FRAME_SAMPLES)
    }
    expect(recorders.recording).toBe(0)
  })

  it('end where a message is left on their line, as with the call', async () => {
    const line = await connected()
    const call = record(line, 'call')
    await frames(30)
    const message = record(line, 'message')
    expect(await call.ended).toMatchObject({ why: 'callEnded' })
    await frames(30)
    expect(await message.end('stopped')).toMatchObject({ why: 'stopped' })
    expect(soundOf('message').length).toBeGreaterThan(0)
  })

  it('end with a line that nobody has ended them for', async () => {
    const line = await connected()
    const kept = record(line, 'a')
    await frames(30)
    await line.close()
    expect(await kept.ended).toMatchObject({ why: 'mediaLost', shedFrames: 0 })
    expect(await kept.end('callEnded')).toMatchObject({ why: 'mediaLost' })
  })

  it('are over at once on a line that is closed already, with what is in their file', async () => {
    const line = await connected()
    const kept = record(line, 'a')
    await frames(30)
    await line.close()
    const { seconds } = await kept.ended
    const late = record(line, 'a')
    const capture = { id: 'c', beganAtMs: Date.now(), seconds: 60 }
    const captured = recorders.of('1.2', 'praxis').capture(line, capture)
    expect(await late.ended).toEqual({ why: 'mediaLost', seconds, shedFrames: 0 })
    expect(await captured?.ended).toEqual({ why: 'mediaLost', seconds: 0, shedFrames: 0 })
    expect(recorders.recording).toBe(0)
  })

  it('go on in their files when their thread dies, and end as lost when it does so again and again', async () => {
    const line = await connected()
    const kept = record(line, 'a')
    says(line, 1)
    await frames(40)
    await threads[1]!.terminate()
    says(line, 2)
    await frames(40)
    expect(trouble).toEqual([expect.stringMatching(/started again/)])
    await record(await connected(), 'b').end('callEnded')
    expect(spokenIn('a')).toBeGreaterThanOrEqual(10 * FRAME_SAMPLES)
    for (let death = 2; death < 5; death++) {
      await threads[death]!.terminate()
      while (trouble.length < death) await frames(1)
    }
    expect(await kept.ended).toMatchObject({ why: 'mediaLost' })
    expect(await record(line, 'c').ended).toMatchObject({ why: 'mediaLost', seconds: 0 })
    expect(trouble.at(-1)).toMatch(/nothing is recorded/)
  })

  it('end with the media thread, whole, and are made for lines of the next one', async () => {
    const kept = record(await connected(), 'a')
    await frames(30)
    await threads[0]!.terminate()
    expect(await kept.ended).toMatchObject({ why: 'mediaLost' })
    expect(soundOf('a').length % (2 * FRAME_SAMPLES)).toBe(0)
    const line = await connected()
    const next = record(line, 'b')
    says(line, 1)
    await frames(30)
    await next.end('callEnded')
    expect(spokenIn('b')).toBe(10 * FRAME_SAMPLES)
  })
})
