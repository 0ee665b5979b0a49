import type { ResponseParams } from './protocol.ts'
import type { Wish } from './responses.ts'

/** How a wish is put to the model. */
export function paramsOf({ words, instructions }: Wish): ResponseParams | undefined {
  if (words !== undefined) {
    return { instructions: `Say these words exactly as they are, and nothing else:\n${words}`, tool_choice: 'none' }
  }
  return instructions === undefined ? undefined : { instructions }
}

/** Of what was being said when the connection was lost: whose sound is there, and words whose sound is not. */
interface Broken {
  readonly told: string
  readonly untold: string
}

/** What is left of a wish; undefined when nothing is. */
export function restOf(
  wish: Wish,
  begun: boolean,
  { told, untold }: Broken,
  sessionInstructions: string,
): Wish | undefined {
  if (!begun) return wish
  if (wish.words !== undefined) {
    const said = told.trim()
    const rest = wish.words.startsWith(said) ? wish.words.slice(said.length).trim() : untold.trim()
    return rest === '' ? undefined : { words: rest }
  }
  const next = untold.trim() === '' ? '' : ` You were about to say: ${untold.trim()}`
  const goOn = `Your last words were cut off by the line. Go on right behind them, and repeat nothing.${next}`
  return { instructions: [sessionInstructions, goOn].filter(Boolean).join('\n\n') }
}
