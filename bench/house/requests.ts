import { systemClock, within } from '../../src/clock.ts'
import { asError } from '../../src/errors.ts'

/** What a program of the bench can be asked, by name. */
export type Requests = Readonly<Record<string, (input: never) => unknown>>

export interface Question {
  readonly id: number
  readonly name: string
  readonly input: unknown
}

export type Reply = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string })

/** Within it a gateway lets its calls finish and stops its Asterisk. */
const END_MS = 20_000

/** A program's part: answers what its parent asks, and ends with it, however that ends and its own end goes. */
export function answer(requests: Requests, end: () => Promise<void> = async () => {}, endMs = END_MS): void {
  const reply = async ({ id, name, input }: Question): Promise<Reply> => {
    try {
      return { id, value: await requests[name]?.(input as never) }
    } catch (thrown) {
      const error = asError(thrown)
      return { id, error: error.stack ?? error.message }
    }
  }
  process.on('message', async (question: Question) => process.send?.(await reply(question)))
  // Ctrl-C reaches the whole foreground group: the parent decides what becomes of it.
  process.on('SIGINT', () => {})
  process.on('disconnect', () => {
    const late = () => new Error('it does not end by itself')
    within(systemClock, endMs, end(), late).then(
      () => process.exit(),
      () => process.exit(1),
    )
  })
}
