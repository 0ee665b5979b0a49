import { weekdays } from '../../agent/hours.ts'
import type { Business } from '../../business.ts'
import type { Rules } from './jsgf.ts'

/** The business's part of the grammar: what can be named. */
export type Named = Pick<Business, 'services' | 'destinations'> & {
  /** People are called for it, and may want no more of that. */
  readonly outbound?: Pick<Business['outbound'], 'enabled'>
}

const hour = 'one | two | three | four | five | six | seven | eight | nine | ten | eleven | twelve'
const can = '(can | could | may) i'
const canYou = '(can | could | would) you [please]'
const want = "i would like | i'd like | i want | i need | i would like to have"
const wantTo = "(i would like to | i'd like to | i want to | i need to)"
const to = '(for | with | to)'

/** What callers can say, whatever the business. Rules with a meaning of their own are what `meaning.ts` looks for. */
const common: Rules = {
  want: `${want} | ${can} (have | get | make | book | schedule) | ${wantTo} (make | book | schedule | have | get)`,
  day: `today | tomorrow | [the] day after tomorrow | ([this | next] (${weekdays.join(' | ')}))`,
  hour,
  minutes: "o'clock | thirty | fifteen | forty five",
  half: '(a m | p m | in the (morning | afternoon | evening))',
  clock: `<hour> [<minutes>] | half past <hour> | [a] quarter (past | to | after) <hour>`,
  time: `<clock> [<half>] | noon | midday`,
  part: 'morning | afternoon | evening',
  when: `
    [on | for] <day> (/0.5/ <NULL> | /0.4/ at <time> | /0.01/ <time> | /0.1/ [in the] <part>) |
    (/0.9/ (at | for) | /0.1/ <NULL>) <time> (/0.9/ <NULL> | /0.1/ [on] <day>) | in the <part>`,
  digit: 'zero | oh | one | two | three | four | five | six | seven | eight | nine',
  // With or without the area's three.
  digits: '<digit> <digit> <digit> <digit> <digit> <digit> <digit> [<digit> <digit> <digit>]',
  hours: `
    ([${canYou} tell me | what are] your [opening | business] hours |
    [and] (when | what (time | times)) are you open | are you open | (when | what time) do you (open | close)) [<on>]`,
  on: '[on] <day>',
  address: `
    where are you [located] | where is (the | your) (office | practice | place | business) |
    [what is | what's | ${canYou} (tell | give) me] (the | your) address | (where | how) (can | do) i find you`,
  phone: `
    [what is | what's | ${canYou} (tell | give) me] your [phone | telephone] number |
    what number [can | do] i call`,
  services: `
    (what | which) services do you (offer | have | provide) | what [services] do you do [there] |
    what (do | can) you offer | what are your services`,
  transfer: `
    (${can} | ${wantTo} | let me) (speak | talk) (to | with) <somebody> |
    ([please] | ${canYou}) (connect me (with | to) | put me through to | transfer me to | give me) <somebody>`,
  human: '[real] person | human [being] | receptionist | manager',
  voicemail: `(${wantTo} | ${can} | let me) (leave [you] (a | my) (voicemail | voice message) | record (a | my) message)`,
  repeat: `
    [sorry | please] [${canYou}] (repeat (that | it) [again] | say (that | it) again) [please] |
    pardon [me] | sorry [what did you say] | what did you say | what was that`,
  goodbye: `
    [<thanks>] (goodbye | good bye | bye [bye]) |
    [no] [<thanks>] (that's | that is | that was) (all | everything | it) [for now] [<thanks>] [bye | goodbye] |
    no <thanks> (goodbye | bye)`,
  thanks: '[okay] (thank you [very much] | thanks [a lot])',
  yes: `
    (yes | yeah) [please | sure | [that's | that is] (right | correct | fine | good)] |
    (that's | that is) (right | correct | fine | good) | sure [go ahead] | okay | correct | right | of course | go ahead`,
  no: `
    (no | nope) [thanks | thank you | not really] |
    [no] (that's | that is) (wrong | not right | not correct) | wrong`,
  cancel: '[no] (never mind | forget [about] it | cancel [that | it] | stop | start over)',
  hello: '(hello | hi | good (morning | afternoon | evening | day)) [there]',
  moreTime: '<when>',
  number: "[[my | the] number is | it's | it is | call me [back] [at | on]] <digits>",
  word: '<yes> | <no> | <cancel> | <repeat> | <goodbye>',
  // A recognizer weighs words little against sounds: what is seldom said, or fits everything, must be heard well.
  sentence: `
    /0.6/ (/0.999/ <NULL> | /0.001/ (<hello> | okay | um)) <thing> (/0.98/ <NULL> | /0.02/ (please | <thanks>)) |
    /0.3/ <word> | /0.05/ <answer> (/0.99/ <NULL> | /0.01/ please) | /0.00001/ <number> | /0.01/ <hello> |
    /0.001/ <thanks>`,
}

export function rulesFor(business: Named): Rules {
  const [service, person] = [named(business.services), named(business.destinations)]
  return {
    ...common,
    ...(service === undefined ? withoutServices : { ...withServices, service }),
    ...(person === undefined ? withoutPeople : { ...withPeople, person }),
    ...(business.outbound?.enabled && { notAgain, word: `${common['word']} | <notAgain>` }),
  }
}

const appointment = `<want> (an appointment | a time | a slot) | (${can} | ${wantTo}) come in |
      do you have (anything | a slot | a time | something | an appointment) [free | available] |
      [an] appointment`

const withServices: Rules = {
  price: `
    how much (is | for) <aService> | (how much | what) (does | would) <aService> cost |
    what is the price (of | for) <aService> | what are your prices`,
  duration: `how long (does | will | is) <aService> [take]`,
  aService: '[a | an | the] <service>',
  appointment: `((${appointment}) [for <aService>] | <want> <aService> [appointment]) [<when>]`,
  bareService: '[for] <aService>',
  thing: `
    <hours> | <address> | <phone> | <services> | <price> | <duration> | <message> | <voicemail> | <appointment> | <transfer>`,
  answer: '<moreTime> | <bareService>',
}

const me = '(me | us | here | this number)'
const notAgain = `
    [please] (do not | don't | never) call ${me} [again | any more | anymore] | [please] stop calling [${me}] |
    ([please] | ${canYou}) (take | remove) (me | my number | this number) (off | from) (your | the) [calling] list |
    ([please] | ${canYou}) put ${me} on (your | the) do not call list`

/** What nobody can name is not listened for: in its place a recognizer would hear whatever sounds like it. */
const withoutServices: Rules = {
  price: 'what are your prices',
  appointment: `(${appointment}) [<when>]`,
  thing: '<hours> | <address> | <phone> | <services> | <price> | <message> | <voicemail> | <appointment> | <transfer>',
  answer: '<moreTime>',
}

const message = `((${wantTo} | ${can} | let me) leave [you] | (${canYou} | i want you to | please) take | [please] give) a message`
const anybody = '(a | the | your) <human> | someone | somebody'

const withPeople: Rules = {
  message: `
    ${message} [${to} <person>] |
    [please] (tell | give) <person> (something | a message) [for me]`,
  somebody: `${anybody} | <person>`,
}

const withoutPeople: Rules = { message, somebody: anybody }

/** Undefined where there is nothing that can be said. */
function named(list: readonly { readonly name: string }[]): string | undefined {
  const names = list.map(({ name }) => spokenWords(name).join(' ')).filter(name => name !== '')
  return names.length === 0 ? undefined : names.join(' | ')
}

/** As words of the grammar: "Check-up (Dr. Miller)" is said as "check up doctor miller". */
export function spokenWords(name: string): string[] {
  return name
    .toLowerCase()
    .replace(/\bdr\b\.?/g, 'doctor')
    .replace(/&/g, ' and ')
    .split(/[^a-z']+/)
    .filter(word => word !== '')
}
