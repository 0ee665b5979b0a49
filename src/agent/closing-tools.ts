import { z } from 'zod'
import type { Outcome } from '../call/ports.ts'
import { defineTool } from './define-tool.ts'
import type { Tool } from './ports.ts'

/** How a model ends a call. It ends once the last words were heard. */
export class ClosingTools {
  readonly tools: readonly Tool[]
  #wanted = false

  constructor(request: (outcome: Outcome) => void) {
    const closing = (name: string, description: string, outcome: Outcome) =>
      defineTool({
        name,
        description,
        args: z.strictObject({}),
        effect: 'write',
        // A caller who speaks keeps the call from ending.
        repeatable: true,
        timeoutMs: 1_000,
        run: async () => {
          this.#wanted = true
          request(outcome)
          return { ok: true, value: 'The call ends when your last words were heard.' }
        },
      })
    this.tools = [
      closing('end_call', 'Ends the call. Say goodbye before.', { kind: 'hangup' }),
      closing('hand_over', 'Hands the caller over to a person. Tell them before.', {
        kind: 'handBack',
        reason: 'asked for a person',
      }),
    ]
  }

  /** One of them ran since this was last asked. */
  takeWanted(): boolean {
    const wanted = this.#wanted
    this.#wanted = false
    return wanted
  }
}
