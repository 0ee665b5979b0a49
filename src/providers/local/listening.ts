import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { runCommand } from '../../debian/command.ts'
import { limits } from '../../limits.ts'
import { type Named, rulesFor } from './grammar.ts'
import { Grammar, jsgfText } from './jsgf.ts'
import type { SpeechPrograms } from './programs.ts'

/** What a recognizer listens by: a grammar's two files, or the language model. */
export interface GrammarSearch {
  readonly kind: 'grammar'
  readonly jsgf: string
  readonly dictionary: string
}
export type Search = GrammarSearch | { readonly kind: 'free' }

const phones =
  'AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH'.split(' ')
/** The business's sentences, and how their words are pronounced. */
export async function grammarSearch(business: Named, programs: SpeechPrograms, clock: Clock): Promise<GrammarSearch> {
  const rules = rulesFor(business)
  const { vocabulary } = new Grammar(rules)
  const known = await pronunciations(programs.model, vocabulary)
  const listed = new Set(known.map(line => line.slice(0, line.indexOf(' '))))
  const unknown = [...vocabulary].filter(word => !listed.has(word))
  const guessed = await Promise.all(unknown.map(async word => `${word} ${await sounded(word, programs, clock)}`))
  return { kind: 'grammar', jsgf: jsgfText(rules, 'sentence'), dictionary: `${[...known, ...guessed].join('\n')}\n` }
}

/** The lines of the model's dictionary for these words: also "word(2) ..." for another way to say it. */
async function pronunciations(model: string, words: ReadonlySet<string>): Promise<string[]> {
  const lines = (await readFile(join(model, 'cmudict-en-us.dict'), 'utf8')).split('\n')
  return lines.filter(line => words.has(line.slice(0, line.search(/[ (]/))))
}

/** As flite would say it. Its sounds are the dictionary's, but for the neutral vowel and the pauses. */
async function sounded(word: string, { speaker }: SpeechPrograms, clock: Clock): Promise<string> {
  const options = { clock, timeoutMs: limits.local.speakMs }
  const { stdout } = await runCommand([...speaker, '-ps', '-t', word, '-o', 'none'], options)
  const sounds = stdout.toUpperCase().split(/\s+/)
  const known = sounds.map(sound => (sound === 'AX' ? 'AH' : sound)).filter(sound => phones.includes(sound))
  return known.length > 0 ? known.join(' ') : 'AH'
}
