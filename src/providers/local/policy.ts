import { type DayOf, hoursAreKnown, spansOf } from '../../agent/hours.ts'
import type { SettledTransfer } from '../../agent/ports.ts'
import type { Business } from '../../business.ts'
import type { TransferOutcome } from '../../call/events.ts'
import { answerAbout, listed, spokenNumber } from './answers.ts'
import { capitalised, dayNamed, spokenTime, timeMeant } from './calendar.ts'
import type { Meaning } from './meaning.ts'

/** What the conversation is about, and what is known of it so far. */
type Topic =
  | { readonly kind: 'open' }
  /** Whatever is said next is the message. */
  | { readonly kind: 'message'; readonly person?: string; readonly again?: boolean }
  | { readonly kind: 'messageRead'; readonly message: string; readonly person?: string; readonly again?: boolean }
  /** Misheard twice: whether they would rather be heard by a person. */
  | { readonly kind: 'voicemailOffered'; readonly person?: string }
  | { readonly kind: 'callback'; readonly message: string; readonly person?: string }
  | { readonly kind: 'number'; readonly message: string; readonly person?: string }
  | { readonly kind: 'numberRead'; readonly message: string; readonly number: string; readonly person?: string }
  | ({ readonly kind: 'appointment' } & Wish)
  | ({ readonly kind: 'appointmentRead' } & Wish)
  /** Nobody was there for the caller: whether they want to leave a message. */
  | { readonly kind: 'messageOffered'; readonly person: string }

interface Wish {
  readonly service?: string
  readonly day?: DayOf
  readonly time?: string
}

export interface State {
  readonly topic: Topic
  /** Turns in a row that were not understood. */
  readonly misses: number
  readonly said: string
}

/** What the caller has done, told from what was heard. */
export interface Said {
  /** As it was heard: a message's words. */
  readonly text: string
  readonly meaning: Meaning | undefined
  readonly keys: string
}

export type Deed =
  | { readonly kind: 'storeMessage'; readonly message: string; readonly person?: string; readonly number?: string }
  | ({ readonly kind: 'storeAppointment' } & Wish)
  /** Nothing: to whoever is there for callers. */
  | { readonly kind: 'handOver'; readonly to?: string }
  /** They say it themselves, after a tone. */
  | { readonly kind: 'takeVoicemail' }
  | { readonly kind: 'forbidCalls' }
  | { readonly kind: 'hangUp' }

/** What is said, and what is done after it. */
export interface Move {
  readonly state: State
  readonly say: string
  readonly deed?: Deed
}

export interface About {
  readonly business: Business
  readonly today: DayOf
}

/** So often in a row it asks back; then a person takes over. */
const MISSES = 3
const ANYTHING_ELSE = 'Anything else?'
/** How it begins to ask back. */
export const DID_NOT_UNDERSTAND = 'Sorry, I did not understand.'
const HELP = 'You can ask about us, leave a message, ask for an appointment, or speak to a person.'

export const beginning: State = { topic: { kind: 'open' }, misses: 0, said: '' }

/**
 * The whole conversation of the built-in demo engine: a pure decision. It answers what the business has told, takes a
 * message or a wish for an appointment and reads it back, and asks back whatever it has not understood.
 */
export function converse(state: State, said: Said, about: About): Move {
  const move = next(state, said, about)
  return { ...move, state: { ...move.state, said: move.say === '' ? state.said : move.say } }
}

/** Of a deed that was to be done, it is told whether it was. */
export function report(ok: boolean, deed: 'kept' | 'callsForbidden'): string {
  if (ok && deed === 'callsForbidden') return `You will not be called again. ${ANYTHING_ELSE}`
  return ok
    ? `Thank you. It is noted. ${ANYTHING_ELSE}`
    : 'I am sorry, that could not be noted. Please ask to speak to a person.'
}

function next(state: State, said: Said, about: About): Move {
  const { topic } = state
  const { meaning } = said
  if (said.keys.startsWith('0') && topic.kind !== 'number') return handOver()
  switch (meaning?.intent) {
    case 'repeat':
      return to(state, topic, state.said || HELP)
    case 'transfer':
      return handOver(meaning.person)
    case 'goodbye':
      return { state, say: `Thank you for calling ${about.business.name}. Goodbye.`, deed: { kind: 'hangUp' } }
    case 'notAgain':
      return { say: '', deed: { kind: 'forbidCalls' }, state: calm(state) }
    case 'voicemail':
      return takeVoicemail(state)
    case 'cancel':
      return to(state, { kind: 'open' }, 'All right. What else can I do for you?')
  }
  switch (topic.kind) {
    case 'open':
      return openTopic(state, said, about)
    case 'message':
    case 'messageRead':
    case 'voicemailOffered':
    case 'callback':
    case 'number':
    case 'numberRead':
      return onMessage(state, topic, said)
    case 'appointment':
    case 'appointmentRead':
      return onAppointment(state, topic, said, about)
    case 'messageOffered':
      if (meaning?.intent === 'yes') return takeMessage(state, topic.person)
      if (meaning?.intent === 'no') return to(state, { kind: 'open' }, ANYTHING_ELSE)
      return openTopic(state, said, about)
  }
}

function openTopic(state: State, { meaning }: Said, about: About): Move {
  if (!meaning) return askBack(state, HELP)
  const answer = answerAbout(meaning, about.business, about.today)
  if (answer) return to(state, { kind: 'open' }, `${answer} ${ANYTHING_ELSE}`)
  switch (meaning.intent) {
    case 'message':
      return takeMessage(state, meaning.person)
    case 'appointment':
    case 'service':
    case 'time':
      return onAppointment(state, { kind: 'appointment' }, { text: '', meaning, keys: '' }, about)
    case 'no':
      return {
        state,
        say: `Thank you for calling ${about.business.name}. Goodbye.`,
        deed: { kind: 'hangUp' },
      }
    case 'yes':
    case 'hello':
      return to(state, { kind: 'open' }, 'How can I help you?')
    default:
      return askBack(state, HELP)
  }
}

function takeMessage(state: State, person: string | undefined): Move {
  return to(state, { kind: 'message', ...forPerson(person) }, 'Of course. Please say your message now.')
}

/** Whatever else is to be said, its own greeting says. */
function takeVoicemail(state: State): Move {
  return { say: 'Of course.', deed: { kind: 'takeVoicemail' }, state: calm(state) }
}

type MessageTopic = Exclude<Topic, { kind: 'open' | 'appointment' | 'appointmentRead' | 'messageOffered' }>

function onMessage(state: State, topic: MessageTopic, { text, meaning, keys }: Said): Move {
  const person = forPerson(topic.person)
  switch (topic.kind) {
    case 'message':
      if (text === '') return askBack(state, 'Please say your message.')
      return to(
        state,
        { ...topic, kind: 'messageRead', message: text },
        `I heard: ${text}. Shall I pass that on${topic.person ? ` to ${topic.person}` : ''}?`,
      )
    case 'messageRead':
      if (meaning?.intent === 'no') {
        if (!topic.again) return sayAgain(state, topic.person)
        const offer = 'Would you rather leave it in your own voice, after a tone?'
        return to(state, { kind: 'voicemailOffered', ...person }, offer)
      }
      if (meaning?.intent !== 'yes') return askBack(state, `I heard: ${topic.message}. Please say yes or no.`)
      return to(
        state,
        { kind: 'callback', message: topic.message, ...person },
        'May we call you back on the number you are calling from?',
      )
    case 'voicemailOffered':
      if (meaning?.intent === 'yes') return takeVoicemail(state)
      if (meaning?.intent === 'no') return sayAgain(state, topic.person)
      return askBack(state, 'In your own voice, after a tone? Please say yes or no.')
    case 'callback':
      if (meaning?.digits) return readNumber(state, topic, meaning.digits)
      if (meaning?.intent === 'no') {
        return to(state, { ...topic, kind: 'number' }, 'On which number? Please say or press its digits.')
      }
      if (meaning?.intent !== 'yes') return askBack(state, 'May we call you back on this number? Please say yes or no.')
      return { ...stored({ message: topic.message, ...person }), state: calm(state) }
    case 'number': {
      const digits = keys.replace(/\D/g, '') || meaning?.digits
      return digits ? readNumber(state, topic, digits) : askBack(state, 'Please say or press the digits of the number.')
    }
    case 'numberRead': {
      const { message, number } = topic
      if (meaning?.intent === 'no') return to(state, { kind: 'number', message, ...person }, 'Please say it once more.')
      if (meaning?.digits) return readNumber(state, topic, meaning.digits)
      if (meaning?.intent !== 'yes') return askBack(state, `${spokenNumber(number)}. Please say yes or no.`)
      return { ...stored({ message, number, ...person }), state: calm(state) }
    }
  }
}

function sayAgain(state: State, person: string | undefined): Move {
  return to(state, { kind: 'message', again: true, ...forPerson(person) }, 'Please say it once more.')
}

function readNumber(state: State, { message, person }: { message: string; person?: string }, number: string): Move {
  return to(
    state,
    { kind: 'numberRead', message, number, ...forPerson(person) },
    `${spokenNumber(number)}. Is that right?`,
  )
}

/** Said by `report` once it is known to be done. */
function stored(message: Omit<Extract<Deed, { kind: 'storeMessage' }>, 'kind'>): Omit<Move, 'state'> {
  return { say: '', deed: { kind: 'storeMessage', ...message } }
}

type AppointmentTopic = Extract<Topic, { kind: 'appointment' | 'appointmentRead' }>

function onAppointment(state: State, topic: AppointmentTopic, { meaning }: Said, about: About): Move {
  const { kind, ...known } = topic
  if (kind === 'appointmentRead') {
    if (meaning?.intent === 'yes') return { say: '', deed: { kind: 'storeAppointment', ...known }, state: calm(state) }
    if (meaning?.intent === 'no') {
      const { service } = known
      return to(state, { kind: 'appointment', ...(service && { service }) }, 'For which day and time, then?')
    }
  }
  const told = meaning && (meaning.day || meaning.time || meaning.service || meaning.intent === 'appointment')
  if (!told) return askBack(state, question(known) ?? 'Please say yes or no.')
  return arrange(state, known, meaning, about)
}

/** Takes in what was said and asks for what is missing; what cannot be is told and asked again. */
function arrange(state: State, known: Wish, meaning: Meaning, { business, today }: About): Move {
  const service = meaning.service ?? known.service
  const day = meaning.day ? dayNamed(meaning.day, today) : known.day
  const rest = { ...(service && { service }), ...(day && { day }) }
  const spans = day && hoursAreKnown(business) ? spansOf(business, day) : undefined
  if (day && spans?.length === 0) {
    const { day: _, ...without } = rest
    const sorry = `We are closed on ${capitalised(day.weekday)}. Which other day?`
    return to(state, { kind: 'appointment', ...without }, sorry)
  }
  const said = meaning.time ?? known.time
  const time = said && day ? timeMeant(said, spans) : said
  if (day && said && time === undefined) {
    const open = (spans ?? []).map(({ from, to }) => `${spokenTime(from)} to ${spokenTime(to)}`)
    const sorry = `We are not open then. On ${capitalised(day.weekday)} we are open from ${listed(open)}. What time?`
    return to(state, { kind: 'appointment', ...rest }, sorry)
  }
  const wish = { ...rest, ...(time && { time }) }
  const asked = question(wish)
  if (asked) return to(state, { kind: 'appointment', ...wish }, asked)
  return to(state, { kind: 'appointmentRead', ...wish }, `${spokenWish(wish)}. Is that right?`)
}

function question({ day, time }: Wish): string | undefined {
  if (!day) return 'For which day would you like the appointment?'
  return time ? undefined : `At what time on ${capitalised(day.weekday)}?`
}

/** A wish only: somebody confirms it. */
function spokenWish({ service, day, time }: Wish): string {
  const at = /^\d/.test(time ?? '') ? `at ${spokenTime(time!)}` : spokenTime(time ?? '')
  return `I will ask for an appointment${service ? ` for ${service}` : ''} on ${capitalised(day!.weekday)} ${at}`
}

function handOver(person?: string): Move {
  return {
    state: beginning,
    say: `One moment please, I will connect you with ${person ?? 'someone'}.`,
    deed: { kind: 'handOver', ...(person && { to: person }) },
  }
}

const notReached: Readonly<Partial<Record<TransferOutcome, string>>> = {
  busy: 'The line is busy.',
  noAnswer: 'Nobody answers.',
  rejected: 'The call was not taken.',
  declined: 'The call was not taken.',
}

/** The caller is back from a transfer that has not come about. */
export function comeBack(state: State, { destination, outcome }: SettledTransfer): Move {
  if (outcome === 'cancelled') return to(state, { kind: 'open' }, 'What else can I do for you?')
  const why = notReached[outcome] ?? 'That did not work.'
  const offer = `Would you like to leave a message for ${destination}?`
  return to(state, { kind: 'messageOffered', person: destination }, `${why} ${offer}`)
}

function askBack(state: State, how: string): Move {
  const misses = state.misses + 1
  if (misses >= MISSES) return handOver()
  return { state: { ...state, misses }, say: `${DID_NOT_UNDERSTAND} ${how}` }
}

function to(state: State, topic: Topic, say: string): Move {
  return { state: { ...state, topic, misses: 0 }, say }
}

function calm(state: State): State {
  return { ...state, topic: { kind: 'open' }, misses: 0 }
}

function forPerson(person: string | undefined): { person?: string } {
  return person ? { person } : {}
}
