import { weekdays } from '../../agent/hours.ts'
import { type Named, rulesFor, spokenWords } from './grammar.ts'
import { type Covered, Grammar } from './jsgf.ts'

type Intent =
  | 'hours'
  | 'address'
  | 'phone'
  | 'services'
  | 'price'
  | 'duration'
  | 'message'
  | 'voicemail'
  | 'appointment'
  | 'transfer'
  | 'repeat'
  | 'goodbye'
  | 'yes'
  | 'no'
  | 'cancel'
  | 'notAgain'
  | 'time'
  | 'service'
  | 'digits'
  | 'hello'

/** What a caller wants, and what they said about it. */
export interface Meaning {
  readonly intent: Intent
  readonly service?: string
  readonly person?: string
  /** today, tomorrow, day after tomorrow, or a day of the week. */
  readonly day?: string
  /** As it was said: "3:00", "3:00 pm", "morning". */
  readonly time?: string
  readonly digits?: string
}

const intentOfRule: Readonly<Record<string, Intent>> = {
  hours: 'hours',
  address: 'address',
  phone: 'phone',
  services: 'services',
  price: 'price',
  duration: 'duration',
  message: 'message',
  voicemail: 'voicemail',
  appointment: 'appointment',
  transfer: 'transfer',
  repeat: 'repeat',
  goodbye: 'goodbye',
  yes: 'yes',
  no: 'no',
  cancel: 'cancel',
  notAgain: 'notAgain',
  moreTime: 'time',
  bareService: 'service',
  number: 'digits',
}

const digitWords = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
const hourWords = [...digitWords, 'ten', 'eleven', 'twelve']
const minuteWords: Readonly<Record<string, number>> = {
  "o'clock": 0,
  fifteen: 15,
  thirty: 30,
  'forty five': 45,
  twenty: 20,
  ten: 10,
  forty: 40,
  fifty: 50,
  'oh five': 5,
  'twenty five': 25,
  'thirty five': 35,
}

/** Understands words by the grammar that they were listened by. */
export class Understanding {
  readonly grammar: Grammar
  readonly #services: ReadonlyMap<string, string>
  readonly #people: ReadonlyMap<string, string>

  constructor(business: Named) {
    this.grammar = new Grammar(rulesFor(business))
    this.#services = bySpokenName(business.services)
    this.#people = bySpokenName(business.destinations)
  }

  /** Nothing for words that are no sentence of the grammar. */
  understand(text: string): Meaning | undefined {
    const words = text.split(' ').filter(word => word !== '')
    const covered = words.length === 0 ? undefined : this.grammar.match('sentence', words)
    if (!covered) return undefined
    const intent = covered.map(({ rule }) => intentOfRule[rule]).find(found => found !== undefined)
    // Thanks alone end nothing and ask for nothing: they say yes to what was offered.
    if (!intent) return { intent: covered.some(({ rule }) => rule === 'hello') ? 'hello' : 'yes' }
    return { intent, ...this.#slots(covered) }
  }

  #slots(covered: readonly Covered[]): Omit<Meaning, 'intent'> {
    const words = (rule: string) => covered.find(each => each.rule === rule)?.words.join(' ')
    const service = this.#services.get(words('service') ?? '')
    const person = this.#people.get(words('person') ?? '')
    const day = dayIn(words('day'))
    const time = timeIn(words)
    const digits = digitsIn(words('digits'))
    return {
      ...(service && { service }),
      ...(person && { person }),
      ...(day && { day }),
      ...(time && { time }),
      ...(digits && { digits }),
    }
  }
}

function bySpokenName(list: readonly { readonly name: string }[]): ReadonlyMap<string, string> {
  return new Map(list.map(({ name }) => [spokenWords(name).join(' '), name]))
}

function dayIn(words: string | undefined): string | undefined {
  if (words?.endsWith('day after tomorrow')) return 'day after tomorrow'
  return ['today', 'tomorrow', ...weekdays].find(day => words?.split(' ').includes(day))
}

function timeIn(words: (rule: string) => string | undefined): string | undefined {
  const [clock, moment] = [words('clock'), words('time')]
  if (!clock) return moment ? '12:00 pm' : words('part')
  const half = words('half')
  const suffix = half === undefined ? '' : half === 'a m' || half.endsWith('morning') ? ' am' : ' pm'
  const hour = hourWords.indexOf(words('hour') ?? '')
  if (clock.startsWith('half past')) return `${hour}:30${suffix}`
  if (clock.includes('quarter to')) return `${hour === 1 ? 12 : hour - 1}:45${suffix}`
  if (clock.includes('quarter')) return `${hour}:15${suffix}`
  return `${hour}:${String(minuteWords[words('minutes') ?? ''] ?? 0).padStart(2, '0')}${suffix}`
}

function digitsIn(words: string | undefined): string | undefined {
  return words
    ?.split(' ')
    .map(word => (word === 'oh' ? '0' : String(digitWords.indexOf(word))))
    .join('')
}
