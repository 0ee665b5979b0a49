/**
 * The part of JSGF that grammars are written in here: words, `a | b`, `[optional]`, `(group)`, `(group)*`, `<rule>`. The
 * same text is what the recognizer listens by and what its words are understood by, so the two cannot differ.
 */
export type Rules = Readonly<Record<string, string>>

type Expansion =
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Expansion[] }
  | { readonly kind: 'optional' | 'repeated'; readonly part: Expansion }

/** Which words a rule covered, outer rules before inner ones. */
export interface Covered {
  readonly rule: string
  readonly words: readonly string[]
}

export class Grammar {
  readonly #rules: ReadonlyMap<string, Expansion>

  constructor(rules: Rules) {
    this.#rules = new Map(Object.entries(rules).map(([name, text]) => [name, parse(text)]))
  }

  /** Every word that can be said. */
  get vocabulary(): ReadonlySet<string> {
    const words = new Set<string>()
    for (const expansion of this.#rules.values()) collect(expansion, words)
    return words
  }

  /** How the rule covers all of the words; nothing when it does not. The first of several ways. */
  match(rule: string, words: readonly string[]): readonly Covered[] | undefined {
    for (const { at, covered } of this.#expand({ kind: 'rule', name: rule }, words, 0)) {
      if (at === words.length) return covered
    }
    return undefined
  }

  *#expand(expansion: Expansion, words: readonly string[], at: number): Generator<Way> {
    switch (expansion.kind) {
      case 'word':
        if (words[at] === expansion.word) yield { at: at + 1, covered: [] }
        return
      case 'rule': {
        const inner = this.#rules.get(expansion.name)
        if (!inner) throw new Error(`The grammar has no rule <${expansion.name}>.`)
        for (const way of this.#expand(inner, words, at)) {
          const whole = { rule: expansion.name, words: words.slice(at, way.at) }
          yield { at: way.at, covered: [whole, ...way.covered] }
        }
        return
      }
      case 'choice':
        for (const part of expansion.parts) yield* this.#expand(part, words, at)
        return
      case 'sequence':
        return yield* this.#sequence(expansion.parts, words, { at, covered: [] })
      case 'optional':
        yield* this.#expand(expansion.part, words, at)
        yield { at, covered: [] }
        return
      case 'repeated':
        for (const way of this.#expand(expansion.part, words, at)) {
          if (way.at > at) yield* this.#sequence([expansion], words, way)
        }
        yield { at, covered: [] }
    }
  }

  *#sequence([first, ...rest]: readonly Expansion[], words: readonly string[], before: Way): Generator<Way> {
    if (!first) return yield before
    for (const way of this.#expand(first, words, before.at)) {
      yield* this.#sequence(rest, words, { at: way.at, covered: [...before.covered, ...way.covered] })
    }
  }
}

interface Way {
  readonly at: number
  readonly covered: readonly Covered[]
}

/** The file that the recognizer reads: the rule `listened` is what it listens by. */
export function jsgfText(rules: Rules, listened: string): string {
  const lines = Object.entries(rules).map(
    ([name, text]) => `${name === listened ? 'public ' : ''}<${name}> = ${text.replace(/\s+/g, ' ').trim()};`,
  )
  return ['#JSGF V1.0;', 'grammar parley;', ...lines, ''].join('\n')
}

function collect(expansion: Expansion, words: Set<string>): void {
  if (expansion.kind === 'word') words.add(expansion.word)
  if ('parts' in expansion) for (const part of expansion.parts) collect(part, words)
  if ('part' in expansion) collect(expansion.part, words)
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']' }

function parse(text: string): Expansion {
  const tokens = text.match(/<[^>]+>|[()[\]|*]|\/[^/]+\/|[^\s()[\]|*<>/]+/g) ?? []
  let at = 0
  const choice = (until: string | undefined): Expansion => {
    const parts = [sequence(until)]
    while (tokens[at] === '|') {
      at += 1
      parts.push(sequence(until))
    }
    if (tokens[at] !== until) throw new Error(`The grammar "${text}" lacks "${until ?? 'an end'}".`)
    at += 1
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }
  const sequence = (until: string | undefined): Expansion => {
    const parts: Expansion[] = []
    for (let token = tokens[at]; token !== undefined && token !== '|' && token !== until; token = tokens[at]) {
      at += 1
      // A weight is the recognizer's business alone.
      if (token.startsWith('/')) continue
      const part = one(token)
      if (tokens[at] === '*') at += 1
      parts.push(tokens[at - 1] === '*' ? { kind: 'repeated', part } : part)
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
  }
  const one = (token: string): Expansion => {
    if (token === '(') return choice(closing[token])
    if (token === '[') return { kind: 'optional', part: choice(closing[token]) }
    // Nothing, as JSGF names it.
    if (token === '<NULL>') return { kind: 'sequence', parts: [] }
    if (token.startsWith('<')) return { kind: 'rule', name: token.slice(1, -1) }
    return { kind: 'word', word: token }
  }
  return choice(undefined)
}
