import { limits } from '../limits.ts'
import type { Phrases } from './settings.ts'
import type { Utterance } from './speech.ts'
import type { Voice, Voiced } from './voice.ts'

/**
 * What the agent says of its own accord, kept as sound of one speaker: it can be said at once, and also when the speaker is
 * down.
 */
export class StoredPhrases {
  /** As the speaker made it, whatever the law of the line. The oldest is forgotten. */
  readonly #stored = new Map<string, readonly Voiced[]>()
  #preparing = false

  has(text: string): boolean {
    return this.#stored.has(text)
  }

  /** Says it all: from the store, or else by the voice, which may fail. */
  async speak(text: string, by: Voice, utterance: Utterance, signal: AbortSignal): Promise<void> {
    try {
      const stored = this.#stored.get(text)
      const speech = stored ? by.repeat(stored) : by.speak(text, signal)
      for await (const voiced of speech) utterance.write(voiced.audio, voiced.text)
    } finally {
      utterance.end()
    }
  }

  /** Once for all calls; a call that ends before leaves the rest to the next. Rejects when the speaker fails. */
  async prepare(phrases: Phrases, voice: Voice, signal: AbortSignal): Promise<void> {
    if (this.#preparing) return
    this.#preparing = true
    try {
      for (const text of Object.values(phrases)) {
        if (this.has(text)) continue
        this.#stored.set(text, await collect(voice.make(text, signal)))
        if (this.#stored.size > limits.agent.storedPhrases) this.#stored.delete(this.#stored.keys().next().value!)
      }
    } finally {
      this.#preparing = false
    }
  }
}

async function collect(speech: AsyncIterable<Voiced>): Promise<readonly Voiced[]> {
  const all: Voiced[] = []
  for await (const { audio, text } of speech) all.push({ audio: audio.slice(), text })
  return all
}
