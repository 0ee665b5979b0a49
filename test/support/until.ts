import { pause, systemClock } from '../../src/clock.ts'

/** What this process itself brings about takes so many turns of its loop. */
const TURNS = 200
const PAUSE_MS = 2

/**
 * Lets real sockets do their work until the condition holds; the test's own time limit ends a wait in vain. What others
 * bring about comes no sooner when a core is kept from them.
 */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn === 0 || !condition(); turn++) {
    if (turn < TURNS) await new Promise<void>(resolve => setImmediate(resolve))
    else await pause(systemClock, PAUSE_MS)
  }
}
