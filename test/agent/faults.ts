import type { Conversant, ConversantVoice, Model, Recognizer, Speaker } from '../../src/agent/ports.ts'

export type Fault =
  /** Throws with the next piece. */
  | 'fail'
  /** Gives no next piece, and hears its signal. */
  | 'stall'
  /** Gives no next piece, and is deaf to its signal. */
  | 'hang'
  /** Goes on giving when nobody wants it any more. */
  | 'late'

/** Breaks the parts of an engine at any moment, and counts the streams of theirs that are still being read. */
export class Faults {
  readonly #broken = new Map<string, Fault>()
  readonly #hanging = new Map<string, Set<(error: Error) => void>>()
  #open = 0

  break(part: string, fault: Fault): void {
    this.#broken.set(part, fault)
  }

  mend(part: string): void {
    this.#broken.delete(part)
  }

  /** It is noticed that whatever hangs there is lost, as a provider does that asks its server for signs of life. */
  notice(part: string): void {
    for (const lose of this.#hanging.get(part) ?? []) lose(new Error('lost'))
  }

  get openStreams(): number {
    return this.#open
  }

  recognizer(inner: Recognizer): Recognizer {
    return {
      open: (format, signal) => {
        const ear = inner.open(format, signal)
        const results = this.#stream('recognizer', ear.results, signal)
        return { format: ear.format, results, write: (...args) => ear.write(...args), finish: () => ear.finish() }
      },
    }
  }

  model(inner: Model): Model {
    return { reply: (history, tools, signal) => this.#stream('model', inner.reply(history, tools, signal), signal) }
  }

  speaker(inner: Speaker): Speaker {
    return {
      format: inner.format,
      speak: (text, signal) => {
        const late = this.#broken.get('speaker') === 'late'
        return this.#stream('speaker', inner.speak(text, late ? new AbortController().signal : signal), signal)
      },
    }
  }

  conversant(inner: Conversant): Conversant {
    return {
      open: async (session, signal) => {
        const fault = this.#broken.get('conversant')
        if (fault === 'fail') throw new Error('broken')
        if (fault) await never(signal, fault)
        const voice = await inner.open(session, signal)
        return Object.assign(Object.create(voice) as ConversantVoice, {
          hear: voice.hear,
          events: this.#stream('conversant', voice.events, signal),
          respond: () => voice.respond(),
          say: (text: string) => voice.say(text),
          told: (text: string) => voice.told(text),
          instruct: (...args: Parameters<ConversantVoice['instruct']>) => voice.instruct(...args),
          toolResult: (...args: Parameters<ConversantVoice['toolResult']>) => voice.toolResult(...args),
          cancel: () => voice.cancel(),
          heard: (...args: Parameters<ConversantVoice['heard']>) => voice.heard(...args),
        })
      },
    }
  }

  async *#stream<T>(part: string, source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    this.#open += 1
    try {
      await this.#obstacle(part, signal)
      for await (const piece of source) {
        await this.#obstacle(part, signal)
        yield piece
      }
    } finally {
      this.#open -= 1
    }
  }

  async #obstacle(part: string, signal: AbortSignal): Promise<void> {
    const fault = this.#broken.get(part)
    if (fault === 'fail') throw new Error('broken')
    if (fault === 'stall' || fault === 'hang') await Promise.race([never(signal, fault), this.#loss(part)])
  }

  #loss(part: string): Promise<never> {
    const { promise, reject } = Promise.withResolvers<never>()
    const hanging = this.#hanging.get(part) ?? new Set()
    this.#hanging.set(part, hanging.add(reject))
    return promise
  }
}

function never(signal: AbortSignal, fault: Fault): Promise<never> {
  return new Promise((_, reject) => {
    if (fault === 'stall') signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
