import { limits } from '../limits.ts'
import type { WebhookAnswer } from './webhook.ts'

/** The last answers: Twilio asks again when one was lost on its way, and so may whoever has overheard a request. */
export class Repetitions {
  readonly #answers = new Map<string, Promise<WebhookAnswer>>()

  /** What was answered before to the same, or is being answered; what has failed or was refused is tried anew. */
  answer(key: string | undefined, ask: () => Promise<WebhookAnswer>): Promise<WebhookAnswer> {
    if (key === undefined) return ask()
    const before = this.#answers.get(key)
    if (before) return before
    const answer = ask()
    this.#answers.set(key, answer)
    if (this.#answers.size > limits.twilio.sidsKnown) this.#answers.delete(this.#answers.keys().next().value!)
    const forget = () => this.#answers.get(key) === answer && this.#answers.delete(key)
    answer.then(({ kind }) => kind === 'refused' && forget(), forget)
    return answer
  }
}
