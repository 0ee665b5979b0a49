import { asError } from '../../src/errors.ts'

/** What a program of the bench can be asked, by name. */
export type Requests = Readonly<Record<string, (input: never) => unknown>>

export interface Question {
  readonly id: number
  readonly name: string
  readonly input: unknown
}

export type Reply = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string })

/** A program's part: answers what its parent asks, and ends with it. */
export function answer(requests: Requests, end: () => Promise<void> = async () => {}): void {
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
  process.on('disconnect', () => void end().finally(() => process.exit()))
}
