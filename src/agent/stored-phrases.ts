import type { Law } from '../media/audio.ts'
import type { Phrases } from './settings.ts'
import type { Utterance } from './speech.ts'
import type { Voice, Voiced } from './voice.ts'

/** What the agent says of its own accord, kept as sound: it can be said at once, and also when the speaker is down. */
export class StoredPhrases {
  readonly #texts: readonly string[]
  readonly #stored = new Map<string, readonly Voiced[]>()
  readonly #preparing = new Set<Law>()

  constructor(phrases: Phrases) {
    this.#texts = Object.values(phrases)
  }

  has(law: Law, text: string): boolean {
    return this.#stored.has(keyOf(law, text))
  }

  /** Says it all: from the store, or else by the voice, which may fail. */
  async speak(text: string, by: Voice, utterance: Utterance, signal: AbortSignal): Promise<void> {
    try {
      const speech = this.#stored.get(keyOf(by.law, text)) ?? by.speak(text, signal)
      for await (const voiced of speech) utterance.write(voiced.audio, voiced.text)
    } finally {
      utterance.end()
    }
  }

  /** Once for all calls; a call that ends before leaves the rest to the next. Rejects when the speaker fails. */
  async prepare(voice: Voice, signal: AbortSignal): Promise<void> {
    const { law } = voice
    if (this.#preparing.has(law)) return
    this.#preparing.add(law)
    try {
      for (const text of this.#texts) {
        if (!this.has(law, text)) this.#stored.set(keyOf(law, text), await collect(voice.speak(text, signal)))
      }
    } finally {
      this.#preparing.delete(law)
    }
  }
}

async function collect(speech: AsyncIterable<Voiced>): Promise<readonly Voiced[]> {
  const all: Voiced[] = []
  for await (const voiced of speech) all.push(voiced)
  return all
}

function keyOf(law: Law, text: string): string {
  return `${law} ${text}`
}
