import type { Call } from '../../src/caller/call.ts'
import { Phone } from '../../src/caller/phone.ts'
import type { CallerDeps } from '../../src/caller/talk.ts'
import { pause } from '../../src/clock.ts'
import { click } from '../conversation/sounds.ts'

/** Of a caller who is transferred and brought back: what they hear of it. */
export interface Transferred {
  /** The longest that they heard nothing, from the middle of the destination's own sound to half a second after they were back. */
  readonly gapsMs: number[]
  readonly callerLateMs: number[]
  readonly failures: string[]
}

const RING_MS = 200
const SOUND_MS = 400
const FAR_HZ = 700
const HEARD_MS = 5_000
const BACK_MS = 500

/** The destination: it rings, has sound of its own for a while, and is busy then. */
export function openPhone(deps: CallerDeps, port: number): Promise<Phone> {
  return Phone.open(deps, {
    address: '127.0.0.1',
    port,
    whenCalled: async call => {
      call.ring()
      await pause(deps.clock, RING_MS)
      call.hum(FAR_HZ)
      call.soundEarly()
      await pause(deps.clock, SOUND_MS)
      call.refuse(486)
    },
  })
}

/** Clicks when it hears the agent, and listens until the agent must have been back for a while. */
export async function beTransferred({ clock }: CallerDeps, call: Call, figures: Transferred): Promise<void> {
  const soundsMs: number[] = []
  const stop = call.onFrame(({ samples, arrivedMs }) => {
    if (samples.some(sample => Math.abs(sample) > 1_000)) soundsMs.push(arrivedMs)
  })
  const untilMs = clock.now() + HEARD_MS
  while (soundsMs.length < 25 && clock.now() < untilMs) await pause(clock, 20)
  await call.play(click)
  const fromMs = clock.now() + RING_MS + SOUND_MS / 2
  await pause(clock, RING_MS + SOUND_MS + 2 * BACK_MS)
  stop()
  const heard = soundsMs.filter(ms => ms > fromMs)
  figures.gapsMs.push(Math.max(...heard.slice(1).map((ms, at) => ms - heard[at]!)))
  if (clock.now() - heard.at(-1)! > BACK_MS) figures.failures.push('a caller was left in silence')
  figures.callerLateMs.push(...call.figures().sent.lateMs.values)
}
