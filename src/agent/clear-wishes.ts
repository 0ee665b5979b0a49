import { type SpokenLanguage, spokenLanguages } from './clear-wishes-spoken.ts'
import { plainWords } from './plain-words.ts'

/**
 * Whether a sentence clearly asks to be connected with somebody: one of the names, or a person whoever it is. Only what
 * leaves no doubt counts: everything else is for the model to understand. In whatever language, for callers do not ask which.
 */
export function clearWish(text: string, names: readonly string[]): { readonly name?: string } | undefined {
  const said = withNames(spoken(text), names)
  for (const language of spokenLanguages) {
    const found = wishIn(said, language)
    if (found === undefined) continue
    const at = /\bname(\d+)\b/.exec(found)?.[1]
    return at === undefined ? {} : { name: names[Number(at)]! }
  }
  return undefined
}

function wishIn(
  said: string,
  { polite, and, later, unless, withdrawn, wishes, bare }: SpokenLanguage,
): string | undefined {
  if (later.test(said)) return undefined
  const clauses = said
    .replace(polite, ' ')
    .replace(and, '|')
    .split('|')
    .map(clause => clause.replace(/\s+/g, ' ').trim())
    .filter(clause => clause !== '')
  const whole = clauses.join(' ')
  if (bare.test(whole)) return whole
  for (const [at, clause] of clauses.entries()) {
    for (const wish of wishes) {
      const found = wish.exec(clause)
      if (!found || unless.test(clause.slice(0, found.index))) continue
      const rest = [clause.slice(found.index + found[0].length), ...clauses.slice(at + 1)].join(' ').trim()
      if (!withdrawn.test(rest)) return found[0]
    }
  }
  return undefined
}

/** Each of the names as a word of its own, the longest first: one may hold another. */
function withNames(plain: string, names: readonly string[]): string {
  const named = names.map((name, at) => ({ at, words: spoken(name).replaceAll(/[| ]+/g, ' ').trim() }))
  const longestFirst = named.filter(({ words }) => words !== '').sort((a, b) => b.words.length - a.words.length)
  return longestFirst.reduce(
    (text, { at, words }) => text.replace(new RegExp(`\\b${words}\\b`, 'g'), `name${at}`),
    plain,
  )
}

/** Doctors are written and heard in two ways. */
function spoken(text: string): string {
  return plainWords(text.replace(/\bdr\b\.?/gi, 'doctor'))
}
