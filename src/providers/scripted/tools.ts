import { z } from 'zod'
import { defineTool } from '../../agent/define-tool.ts'
import type { Tool } from '../../agent/ports.ts'
import { type Clock, pause } from '../../clock.ts'

const args = z.strictObject({ what: z.string() })
const SLOW_MS = 4_000

/** One that reads, one that takes so long that the caller hears a filler, one that changes something. */
export function scriptedTools(clock: Clock): readonly Tool[] {
  return [
    defineTool({
      name: 'look_up',
      description: 'Looks something up.',
      args,
      effect: 'read',
      timeoutMs: 2_000,
      run: async () => ({ ok: true, value: 'found' }),
    }),
    defineTool({
      name: 'look_up_slowly',
      description: 'Looks something up and takes its time.',
      args,
      effect: 'read',
      timeoutMs: 2 * SLOW_MS,
      async run(_args, { signal }) {
        await pause(clock, SLOW_MS, signal)
        return { ok: true, value: 'found' }
      },
    }),
    defineTool({
      name: 'book',
      description: 'Books something.',
      args,
      effect: 'write',
      timeoutMs: 2_000,
      run: async () => ({ ok: true, value: 'booked' }),
    }),
  ]
}
