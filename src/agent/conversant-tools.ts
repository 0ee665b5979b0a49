import type { Dialogue } from './dialogue.ts'
import { unlessAborted } from './iterate.ts'
import type { ToolCall, ToolResult } from './ports.ts'

interface ConversantToolsDependencies {
  readonly dialogue: Dialogue
  /** Of the whole conversation: a tool goes on when the caller interrupts. */
  readonly signal: AbortSignal
  /** Until the reply that is being made is whole: more tools may be called in it. */
  readonly replyWhole: () => Promise<void>
  /** `reply`: it is to go on with it. */
  readonly told: (id: string, result: ToolResult, reply: boolean) => void
  /** One has ended that was not interrupted. */
  readonly over: () => void
}

/** The tools that a conversant calls while it goes on by itself. */
export class ConversantTools {
  readonly #with: ConversantToolsDependencies
  #running = 0

  constructor(dependencies: ConversantToolsDependencies) {
    this.#with = dependencies
  }

  get running(): boolean {
    return this.#running > 0
  }

  async run(call: ToolCall): Promise<void> {
    const { dialogue, replyWhole, told, over } = this.#with
    const { runner, conversation, closing, making } = dialogue
    const { signal } = making
    this.#running += 1
    try {
      if (runner.writes(call.name)) await unlessAborted(conversation.certain(), signal)
      const result = await runner.run(call, this.#with.signal)
      await replyWhole()
      // Those of one reply are answered together. After the last words, and when the caller has interrupted, none is.
      told(call.id, result, !closing.takeWanted() && !signal.aborted && this.#running === 1)
    } catch {
      told(call.id, { ok: false, problem: 'The caller interrupted before it was done.' }, false)
    } finally {
      this.#running -= 1
      if (!signal.aborted) over()
    }
  }
}
