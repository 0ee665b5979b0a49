import { plainWords } from './plain-words.ts'

const spaced = (words: string) => words.split(' ').map(word => word.replaceAll('_', ' '))
const yes = spaced(
  'yes yeah yep yup sure ok okay go_ahead of_course absolutely certainly i_ll_take_it take_it put_them_through put_him_through put_her_through ' +
    'ja jawohl jep klar gern gerne genau sicher naturlich nehme_ich durchstellen ' +
    'oui ouais d_accord bien_sur volontiers je_prends si claro por_supuesto vale de_acuerdo va_bene certo certamente',
)
const no = spaced(
  'no nope nah not_now no_way decline i_can_t nein nee nicht jetzt_nicht geht_nicht non pas_maintenant ahora_no non_ora non_adesso',
)
const polite = spaced(
  'please thanks thank_you bitte danke s_il_vous_plait merci por_favor gracias per_favore grazie um uh well',
)
const longestFirst = (words: readonly string[]) => [...words].sort((a, b) => b.length - a.length)
const either = new RegExp(`^(?:${longestFirst([...yes, ...no, ...polite]).join('|')})(?= |$)`)

/**
 * What somebody answers who was asked for a yes or a no, in whichever of the languages. Only when it is nothing else: a
 * voicemail that says yes among much else has taken no call.
 */
export function yesOrNo(text: string): 'yes' | 'no' | undefined {
  const answers = new Set<'yes' | 'no'>()
  let rest = plainWords(text).replaceAll('|', ' ').replace(/\s+/g, ' ').trim()
  while (rest !== '') {
    const word = either.exec(rest)?.[0]
    if (word === undefined) return undefined
    if (yes.includes(word)) answers.add('yes')
    if (no.includes(word)) answers.add('no')
    rest = rest.slice(word.length).trim()
  }
  // Whoever says no and something else as well has not agreed.
  return answers.has('no') ? 'no' : answers.has('yes') ? 'yes' : undefined
}
