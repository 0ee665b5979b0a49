import type { Model, ReplyPart, ToolDescription } from '../../agent/ports.ts'
import { type Clock, pause } from '../../clock.ts'
import type { Script } from './script.ts'

export interface ModelOptions {
  readonly clock: Clock
  readonly script: Script
  /** To the first piece of a reply. */
  readonly latencyMs: number
}

/** Replies by the script, word by word, as a streaming model does. */
export function scriptedModel({ clock, script, latencyMs }: ModelOptions): Model {
  let calls = 0
  return {
    async *reply(history, tools, signal): AsyncGenerator<ReplyPart, void, undefined> {
      if (latencyMs > 0) await pause(clock, latencyMs, signal)
      for (const step of script(history)) {
        if (step === 'fail') throw new Error('The script says that this fails.')
        if (step === 'stall') await untilAborted(signal)
        else if ('waitMs' in step) await pause(clock, step.waitMs, signal)
        else if ('say' in step) yield* inWords(step.say)
        else {
          calls += 1
          const call = 'transferTo' in step ? transferTo(step.transferTo, tools) : step
          yield { kind: 'toolCall', id: `call-${calls}`, name: call.call, args: call.args ?? {} }
        }
      }
    },
  }
}

/** As a model chooses one: by what the tool says there is. */
function transferTo(
  number: number,
  tools: readonly ToolDescription[],
): { readonly call: string; readonly args?: unknown } {
  const parameters = tools.find(({ name }) => name === 'transfer')?.parameters
  const { properties } = Object(parameters) as { properties?: { destination?: { enum?: readonly string[] } } }
  return { call: 'transfer', args: { destination: properties?.destination?.enum?.[number - 1], reason: 'A test.' } }
}

function* inWords(text: string): Generator<ReplyPart> {
  for (const word of text.split(/(?<=\s)/)) yield { kind: 'text', text: word }
  yield { kind: 'text', text: ' ' }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
