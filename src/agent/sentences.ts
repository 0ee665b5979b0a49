/** A first clause is spoken as soon as it is there; it needs so many letters to be worth a breath. */
const FIRST_CLAUSE_CHARS = 12
/** Without any full stop a sentence is cut at a space behind so many letters. */
const LONGEST_CHARS = 300
const endsSentence = /[.!?…][)\]"'”’»]*$/
const endsClause = /[,;:–—][)\]"'”’»]*$/
const endsWithoutSpace = /[。！？]/
const abbreviation = /(?:^|[\s(])(?:\p{Lu}|Dr|Mr|Mrs|Ms|St|Prof|No|Nr|vs|e\.g|i\.e|etc|approx|bzw|ca|z\.B)\.$/u

/**
 * Cuts text that comes in pieces into what can be spoken at one go: sentences, and the first clause as early as
 * possible. Put together again the parts are the text, spaces included.
 */
export class SentenceSplitter {
  #text = ''
  #scanned = 0
  #first = true

  push(piece: string): string[] {
    this.#text += piece
    const parts: string[] = []
    for (let end = this.#nextEnd(); end > 0; end = this.#nextEnd()) parts.push(this.#cut(end))
    return parts
  }

  /** What is left when no more will come. */
  rest(): string[] {
    return this.#text.trim() === '' ? [] : [this.#cut(this.#text.length)]
  }

  #cut(end: number): string {
    const part = this.#text.slice(0, end)
    this.#text = this.#text.slice(end)
    this.#scanned = 0
    this.#first = false
    return part
  }

  /** Where the first part ends, behind its spaces; 0 while that cannot be told. A space decides: 3.50 is one word. */
  #nextEnd(): number {
    for (let i = this.#scanned; i < this.#text.length; i++) {
      this.#scanned = i + 1
      if (endsWithoutSpace.test(this.#text[i]!)) return i + 1
      if (!isSpace(this.#text, i) || i === 0 || isSpace(this.#text, i - 1)) continue
      const before = this.#text.slice(Math.max(0, i - 12), i)
      if (endsSentence.test(before) && !abbreviation.test(before)) return i + 1
      if (this.#first && i >= FIRST_CLAUSE_CHARS && endsClause.test(before)) return i + 1
      if (i >= LONGEST_CHARS) return i + 1
    }
    return 0
  }
}

function isSpace(text: string, at: number): boolean {
  return text.charAt(at).trim() === ''
}
