import type { CallRecorded } from '../call/ports.ts'

/**
 * Telling a caller that they are recorded, before anything else is said and before anything is recorded. Who interrupts it
 * hears it once more, when the agent has nothing else to say; who interrupts that, too, is not recorded.
 */
export class Announcing {
  readonly #recorded: CallRecorded | undefined
  readonly #greeting: () => string
  #state: 'first' | 'heard' | 'owed' | 'again' | 'over'

  constructor(recorded: CallRecorded | undefined, greeting: () => string) {
    this.#recorded = recorded
    this.#greeting = greeting
    this.#state = recorded?.announcement === undefined ? 'over' : 'first'
  }

  /** What a call begins with. */
  get opening(): string {
    return (this.#state === 'first' ? this.#recorded?.announcement : undefined) ?? this.#greeting()
  }

  /** Something that was said has been heard, to its end or not. */
  heard(complete: boolean): void {
    if (this.#state !== 'first' && this.#state !== 'again') return
    if (complete) this.#recorded?.announced()
    if (this.#state === 'first') this.#state = complete ? 'heard' : 'owed'
    else this.#state = 'over'
  }

  /** What is to be said now that nothing else is. */
  next(): string | undefined {
    switch (this.#state) {
      case 'heard':
        this.#state = 'over'
        return this.#greeting()
      case 'owed':
        this.#state = 'again'
        return this.#recorded?.announcement
      default:
        return undefined
    }
  }

  /** They do not want it, whether they have been told to the end or not. */
  decline(): void {
    if (this.#state !== 'heard') this.#state = 'over'
    this.#recorded?.stop()
  }
}
