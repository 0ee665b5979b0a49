/** What is known of a caller whom somebody else is to take. */
export interface Introduced {
  readonly business: string
  readonly language: string
  readonly name: string | undefined
  readonly number: string
  readonly reason: string | undefined
  /** The reason is what the caller has said. */
  readonly inTheirWords: boolean
}

export interface Introduction {
  readonly story: string
  readonly question: string
}

interface Phrasing {
  readonly call: (business: string, caller: string) => string
  readonly hidden: string
  readonly number: string
  readonly plus: string
  readonly said: string
  readonly question: string
}

const english: Phrasing = {
  call: (business, caller) => `A call for ${business}, from ${caller}.`,
  hidden: 'a hidden number',
  number: 'number',
  plus: 'plus',
  said: 'They said:',
  question: 'Press 1 or say yes to take it. Press 2 or say no to decline.',
}

const phrasings: Readonly<Record<string, Phrasing>> = {
  en: english,
  de: {
    call: (business, caller) => `Ein Anruf für ${business}, von ${caller}.`,
    hidden: 'einer unterdrückten Nummer',
    number: 'der Nummer',
    plus: 'plus',
    said: 'Gesagt wurde:',
    question: 'Drücken Sie 1 oder sagen Sie ja, um ihn anzunehmen, 2 oder nein, um ihn abzulehnen.',
  },
  fr: {
    call: (business, caller) => `Un appel pour ${business}, de la part de ${caller}.`,
    hidden: 'un numéro masqué',
    number: 'numéro',
    plus: 'plus',
    said: 'La personne a dit :',
    question: 'Appuyez sur 1 ou dites oui pour le prendre, sur 2 ou dites non pour le refuser.',
  },
  es: {
    call: (business, caller) => `Una llamada para ${business}, de ${caller}.`,
    hidden: 'un número oculto',
    number: 'número',
    plus: 'más',
    said: 'Ha dicho:',
    question: 'Pulse 1 o diga sí para aceptarla, 2 o diga no para rechazarla.',
  },
  it: {
    call: (business, caller) => `Una chiamata per ${business}, da ${caller}.`,
    hidden: 'un numero nascosto',
    number: 'numero',
    plus: 'più',
    said: 'Ha detto:',
    question: 'Prema 1 o dica sì per accettarla, 2 o dica no per rifiutarla.',
  },
}

/** What whoever answers is told, and asked, in the language of the business. */
export function introduction({ business, language, name, number, reason, inTheirWords }: Introduced): Introduction {
  const phrasing = phrasings[language.slice(0, 2)] ?? english
  const caller = name ?? spelled(number, phrasing)
  const why = reason === undefined ? '' : ` ${inTheirWords ? `${phrasing.said} ` : ''}${sentence(reason)}`
  return { story: `${phrasing.call(business, caller)}${why}`, question: phrasing.question }
}

/** Digit by digit, in threes: a number that is said as one is not understood. */
function spelled(number: string, { hidden, number: word, plus }: Phrasing): string {
  const digits = number.replace(/\D/g, '')
  if (digits.length < 3) return hidden
  const groups = digits.match(/\d{1,3}/g)!.map(group => [...group].join(' '))
  return `${word} ${number.startsWith('+') ? `${plus} ` : ''}${groups.join(', ')}`
}

function sentence(text: string): string {
  const trimmed = text.trim()
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}
