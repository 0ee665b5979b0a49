import pg from 'pg'
import { limits } from '../limits.ts'

/**
 * A client that has the database keep what it has understood of a question: most are asked again and again, and of the
 * events of a call understanding costs more than carrying out.
 * https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class PreparingClient extends pg.Client {
  readonly #names = new Map<string, string>()

  override query(...args: unknown[]): never {
    const [text, values] = args
    const named = typeof text === 'string' && Array.isArray(values) && values.length > 0
    const query = super.query as (...args: unknown[]) => never
    return named ? query.call(this, { name: this.#nameOf(text), text, values }) : query.apply(this, args)
  }

  /** None for those that come once the places are taken: a question with its own number of parts may never be asked again. */
  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || this.#names.size >= limits.store.preparedStatements) return known
    const name = `s${this.#names.size}`
    this.#names.set(text, name)
    return name
  }
}
