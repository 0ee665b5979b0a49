const USUAL_MS_PER_CHAR = 65
/** Whatever was learned: no voice is faster or slower. */
const LEAST_MS_PER_CHAR = 45
const MOST_MS_PER_CHAR = 130
/** How much one sentence changes what is expected of the next. */
const LEARNING = 0.3

/** How fast a speaker speaks, learned from what it has spoken. */
export class Pace {
  #msPerChar = USUAL_MS_PER_CHAR

  captions(text: string): Captions {
    return new Captions(text, this.#msPerChar)
  }

  learn(text: string, ms: number): void {
    if (text.length === 0) return
    const msPerChar = Math.min(MOST_MS_PER_CHAR, Math.max(LEAST_MS_PER_CHAR, ms / text.length))
    this.#msPerChar += LEARNING * (msPerChar - this.#msPerChar)
  }
}

/** Which words of a sentence go with which piece of its audio, told while nobody knows yet how long it will be. */
export class Captions {
  #text: string
  readonly #msPerChar: number
  #ms = 0
  #given = 0

  constructor(text: string, msPerChar: number) {
    this.#text = text
    this.#msPerChar = msPerChar
  }

  /** More words of it have become known. */
  add(text: string): void {
    this.#text += text
  }

  /** The words that will be over when so much more audio has been heard. */
  during(ms: number): string {
    this.#ms += ms
    let end = Math.min(this.#text.length, Math.floor(this.#ms / this.#msPerChar))
    while (end > this.#given && end < this.#text.length && this.#text.charAt(end).trim() !== '') end -= 1
    return this.#take(Math.max(end, this.#given))
  }

  rest(): string {
    return this.#take(this.#text.length)
  }

  #take(end: number): string {
    const words = this.#text.slice(this.#given, end)
    this.#given = end
    return words
  }
}
