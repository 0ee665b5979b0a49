import { limits } from '../limits.ts'
import type { Utterance } from './speech.ts'

/** What a conversant says, by its own names for it, also what was cancelled: late audio is known by it. The oldest are forgotten. */
export class SaidItems {
  readonly #utterances = new Map<string, Utterance>()
  readonly #begin: () => Utterance

  constructor(begin: () => Utterance) {
    this.#begin = begin
  }

  find(item: string): Utterance | undefined {
    return this.#utterances.get(item)
  }

  /** The one of this name, begun when it is new. */
  utterance(item: string): Utterance {
    const known = this.#utterances.get(item)
    if (known) return known
    const utterance = this.#begin()
    this.#utterances.set(item, utterance)
    if (this.#utterances.size > limits.agent.items) this.#utterances.delete(this.#utterances.keys().next().value!)
    return utterance
  }

  nameOf(utterance: Utterance): string | undefined {
    return [...this.#utterances].find(([, each]) => each === utterance)?.[0]
  }

  /** Those of which it is not known yet how much was heard. */
  get unheard(): [item: string, utterance: Utterance][] {
    return [...this.#utterances].filter(([, utterance]) => !utterance.heard)
  }
}
