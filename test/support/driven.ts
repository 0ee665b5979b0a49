import { until } from './until.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** A millisecond passes with each turn of the loop, in which real sockets do their work. */
export async function driven<T>(clock: VirtualClock, asked: Promise<T>): Promise<T> {
  let settled = false
  const done = () => {
    settled = true
  }
  asked.then(done, done)
  await until(() => {
    clock.advance(1)
    return settled
  })
  return asked
}
