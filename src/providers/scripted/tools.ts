import type { Tool } from '../../agent/ports.ts'
import { type Clock, pause } from '../../clock.ts'

const what = { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] } as const
const SLOW_MS = 4_000

/** One that reads, one that takes so long that the caller hears a filler, one that changes something. */
export function scriptedTools(clock: Clock): readonly Tool[] {
  return [
    {
      name: 'look_up',
      description: 'Looks something up.',
      parameters: what,
      effect: 'read',
      timeoutMs: 2_000,
      run: async () => ({ ok: true, value: 'found' }),
    },
    {
      name: 'look_up_slowly',
      description: 'Looks something up and takes its time.',
      parameters: what,
      effect: 'read',
      timeoutMs: 2 * SLOW_MS,
      async run(_args, signal) {
        await pause(clock, SLOW_MS, signal)
        return { ok: true, value: 'found' }
      },
    },
    {
      name: 'book',
      description: 'Books something.',
      parameters: what,
      effect: 'write',
      timeoutMs: 2_000,
      run: async () => ({ ok: true, value: 'booked' }),
    },
  ]
}
