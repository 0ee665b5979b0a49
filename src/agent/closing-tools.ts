import { z } from 'zod'
import type { Business } from '../business.ts'
import { limits } from '../limits.ts'
import { defineTool } from './define-tool.ts'
import type { Tool } from './ports.ts'
import type { Next } from './turn-state.ts'

/** How a model ends its part in a call. It ends once the last words were heard. */
export class ClosingTools {
  readonly tools: readonly Tool[]
  readonly #request: (next: Next) => void
  #wanted = false

  constructor({ destinations }: Pick<Business, 'destinations'>, request: (next: Next) => void) {
    this.#request = request
    const toSomebody = destinations.length > 0 ? this.#transfer(destinations) : this.#handOver()
    this.tools = [this.#endCall(), toSomebody, this.#takeVoicemail()]
  }

  /** One of them ran since this was last asked. */
  takeWanted(): boolean {
    const wanted = this.#wanted
    this.#wanted = false
    return wanted
  }

  #endCall(): Tool {
    const args = z.strictObject({})
    return this.#closing('end_call', 'Ends the call. Say goodbye before.', args, () => ({ kind: 'hangup' }))
  }

  #handOver(): Tool {
    const description = 'Hands the caller over to a person. Tell them before.'
    const handBack = { kind: 'handBack', reason: 'asked for a person' } as const
    return this.#closing('hand_over', description, z.strictObject({}), () => handBack)
  }

  #takeVoicemail(): Tool {
    const description =
      'Lets the caller leave a message in their own voice, after a tone, and ends the call. For who would rather say it themselves than tell it to you.'
    const outcome = { kind: 'handBack', reason: 'wants to leave a message', message: 'agent' } as const
    return this.#closing('take_voicemail', description, z.strictObject({}), () => outcome)
  }

  /** A model gives a name, never an address. */
  #transfer(destinations: Business['destinations']): Tool {
    const told = destinations.map(({ name, description }) => (description ? `${name}: ${description}` : name))
    const reason = z.string().trim().min(1).max(limits.agent.reasonChars)
    const args = z.strictObject({
      destination: z.enum(destinations.map(({ name }) => name)).describe(told.join('; ')),
      reason: reason.describe('Who calls and why, in a sentence: it is told to whoever answers.'),
    })
    const description = 'Connects the caller with somebody else. Tell them before with whom.'
    return this.#closing('transfer', description, args, ({ destination, reason }) => ({
      kind: 'transfer',
      wish: { destination, by: 'agent', reason },
    }))
  }

  #closing<Args extends z.ZodType>(
    name: string,
    description: string,
    args: Args,
    next: (args: z.output<Args>) => Next,
  ): Tool {
    return defineTool({
      name,
      description,
      args,
      effect: 'write',
      // A caller who speaks keeps the call from ending.
      repeatable: true,
      timeoutMs: 1_000,
      run: async args => {
        this.#wanted = true
        this.#request(next(args))
        return { ok: true, value: 'It is done when your last words were heard.' }
      },
    })
  }
}
