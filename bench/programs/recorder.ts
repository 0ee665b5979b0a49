import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../../src/limits.ts'
import { forEachPair, type ToRecorder } from '../../src/plane/takes.ts'
import { filesOnDisk } from '../../src/recording/files.ts'
import { Keeper } from '../../src/recording/keeper.ts'
import type { VirtualClock } from '../../test/support/virtual-clock.ts'
import { callerMs, numberIn, recordedCall } from '../conversation/recorded-call.ts'
import { answer } from '../house/requests.ts'

/** What recording takes and does over an hour, in a process of its own whose memory nothing else fills. */

const TEN_MINUTES_MS = 600_000
const HOUR_MS = 6 * TEN_MINUTES_MS

/** Both sides are at home in the first seconds: no way and no drift is known before. */
const SETTLED = 250

const requests = {
  /** Written to the disk; resident bytes at each ten minutes, and how long the machine took. */
  async hour(folder: string): Promise<{ rssBytes: number[]; seconds: number; tookMs: number }> {
    const rssBytes: number[] = []
    let keeper: Keeper | undefined
    let seconds = 0
    const path = join(folder, 'recorded-hour.au')
    const of = (clock: VirtualClock) =>
      new Keeper({
        ...{ clock, files: { ...filesOnDisk, freeBytes: () => limits.recording.diskBytes.low }, took: () => {} },
        tell(message) {
          if (message.kind === 'ended') seconds = message.seconds
        },
      })
    const startedMs = performance.now()
    await recordedCall({
      ...{ ms: HOUR_MS, ppm: 100 },
      order: clock => ({
        ...{ path, sides: 'both', mostMs: limits.recording.seconds * 1_000 },
        note: { id: 'hour', call: '1', business: 'bench', beganAtMs: clock.wallMs() },
      }),
      receive(message: ToRecorder, clock) {
        keeper ??= of(clock)
        keeper.receive(message)
      },
      each: {
        ms: TEN_MINUTES_MS,
        run() {
          globalThis.gc?.()
          rssBytes.push(process.memoryUsage.rss())
        },
      },
    })
    rmSync(path)
    return { rssBytes, seconds, tookMs: performance.now() - startedMs }
  },
  /** How far what the caller said stands from what they heard meanwhile, in milliseconds, over an hour. */
  async drift(ppm: number): Promise<{ offsMs: Float64Array; pairs: number }> {
    const places: number[] = []
    const numbers: number[] = []
    let pairs = 0
    const sentMs = await recordedCall({
      ...{ ms: HOUR_MS, ppm, order: () => ({}) },
      receive(message) {
        if (message.kind !== 'pairs') return
        forEachPair(message.batch, (_take, place, received) => {
          pairs += 1
          const number = numberIn(received)
          if (number === undefined || place < SETTLED) return
          places.push(place)
          numbers.push(number)
        })
      },
      each: { ms: TEN_MINUTES_MS, run: () => {} },
    })
    const offsMs = Float64Array.from(places, (place, at) => sentMs[place]! - callerMs(numbers[at]!, ppm))
    return { offsMs, pairs }
  },
}
export type RecorderRequests = typeof requests
answer(requests)
