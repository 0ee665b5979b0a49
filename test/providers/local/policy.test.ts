import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { todayAt } from '../../../src/agent/hours.ts'
import { readBusiness } from '../../../src/business.ts'
import { Understanding } from '../../../src/providers/local/meaning.ts'
import { saidIn } from '../../../src/providers/local/model.ts'
import {
  type About,
  beginning,
  comeBack,
  converse,
  type Deed,
  report,
  type State,
} from '../../../src/providers/local/policy.ts'

const business = readBusiness({
  file: join(import.meta.dirname, '../../corpus/business.yaml'),
  name: '',
  phone: undefined,
  ownerPhone: undefined,
  engine: 'local',
})
/** A Monday, 09:00 in New York. */
const about: About = { business, today: todayAt(Date.UTC(2026, 0, 5, 14), business.timeZone) }
const understanding = new Understanding(business)

function talk(turns: readonly string[], where: About = about): { said: string[]; deeds: Deed[] } {
  const said: string[] = []
  const deeds: Deed[] = []
  let state = beginning
  for (const text of turns) {
    const move = converse(state, saidIn(text, state, understanding), where)
    state = move.state
    if (move.say) said.push(move.say)
    if (move.deed) deeds.push(move.deed)
  }
  return { said, deeds }
}

const answerTo = (text: string, where = about) => talk([text], where).said.at(-1)

describe('questions about the business', () => {
  it.each([
    [
      'what are your opening hours',
      /Monday from 9 AM to noon and from 1 PM to 5 PM, .* and Friday from 9 AM to 3 PM\./,
    ],
    ['are you open on sunday', /^On Sunday we are closed\./],
    ['when do you open tomorrow', /^Tomorrow we are open from 9 AM to 5 PM\./],
    ['where are you located', /12 Harbour Street, Springfield/],
    ["what's your phone number", /1 5 5, 5 0 1, 0 0 2, 0 0|1 5 5/],
    ['what services do you offer', /Check-up, Cleaning, Whitening and Root canal/],
    ['how much is a cleaning', /Cleaning costs 120 dollars/],
    ['how much does a root canal cost', /I do not know the price/],
    ['how long does a cleaning take', /45 minutes/],
  ])('%s', (question, answer) => {
    expect(answerTo(question)).toMatch(answer)
  })

  it('makes up nothing that the business has not told', () => {
    const { address: _, ...rest } = business
    const silent: About = { ...about, business: { ...rest, hours: {}, services: [], numbers: [] } }
    for (const question of [
      'what are your opening hours',
      'are you open tomorrow',
      'what is your address please',
      "what's your phone number",
      'what services do you offer',
    ]) {
      expect(answerTo(question, silent)).toMatch(/I do not know|I have no list/)
    }
  })
})

describe('a message', () => {
  it('is read back and kept once the caller has confirmed it', () => {
    const { said, deeds } = talk([
      'can you take a message please',
      'please call me about the bill',
      'no',
      'please call me about my bill',
      'yes',
      'yes',
    ])
    expect(said).toContain('I heard: please call me about my bill. Shall I pass that on?')
    expect(deeds).toEqual([{ kind: 'storeMessage', message: 'please call me about my bill' }])
  })

  it('goes to a person, with another number read back, by voice or by keys', () => {
    const toPerson = 'i want to leave a message for doctor miller'
    for (const number of ['five five five oh one two three', '[pressed 5550123]']) {
      const { said, deeds } = talk([toPerson, 'the tooth hurts', 'yes', 'no', number, 'yes'])
      expect(said.at(-1)).toBe('5 5 5, 0 1 2 3. Is that right?')
      expect(deeds).toEqual([
        { kind: 'storeMessage', message: 'the tooth hurts', number: '5550123', person: 'Doctor Miller' },
      ])
    }
  })

  it('that was misheard twice can be left in their own voice', () => {
    const misheard = ['can you take a message please', 'all me', 'no', 'fall me', 'no']
    const offered = talk(misheard)
    expect(offered.said.at(-1)).toBe('Would you rather leave it in your own voice, after a tone?')
    expect(offered.deeds).toEqual([])
    expect(talk([...misheard, 'yes please']).deeds).toEqual([{ kind: 'takeVoicemail' }])
    const { deeds } = talk([...misheard, 'no', 'call me', 'yes', 'yes'])
    expect(deeds).toEqual([{ kind: 'storeMessage', message: 'call me' }])
  })

  it.each(['i would like to leave a voicemail', 'can i leave you a voice message please', 'let me record a message'])(
    'is left in their own voice by whoever would rather, also in the middle of dictating: %s',
    text => {
      for (const before of [[], ['can you take a message please']]) {
        expect(talk([...before, text])).toMatchObject({ deeds: [{ kind: 'takeVoicemail' }] })
      }
    },
  )

  it('is dropped when the caller thinks better of it, and never kept unconfirmed', () => {
    expect(talk(['can you take a message please', 'never mind']).deeds).toEqual([])
    expect(talk(['can you take a message please', 'call me', 'thank you goodbye']).deeds).toEqual([{ kind: 'hangUp' }])
  })
})

describe('an appointment', () => {
  const wanted = { kind: 'storeAppointment', service: 'Cleaning', day: { weekday: 'tuesday', date: '2026-01-06' } }

  it('said at once is read back with the time that is meant', () => {
    const { said, deeds } = talk(['can i book a cleaning on tuesday at ten thirty', 'yes please'])
    expect(said).toEqual(['I will ask for an appointment for Cleaning on Tuesday at 10 30 AM. Is that right?'])
    expect(deeds).toEqual([{ ...wanted, time: '10:30' }])
  })

  it('asks for what is missing', () => {
    const { said, deeds } = talk(['i would like an appointment', 'tomorrow', 'at half past two', 'yes'])
    expect(said.slice(0, 2)).toEqual(['For which day would you like the appointment?', 'At what time on Tuesday?'])
    expect(deeds).toEqual([{ kind: 'storeAppointment', day: wanted.day, time: '14:30' }])
  })

  it('on a closed day or at a closed hour is not taken', () => {
    const { said } = talk([
      'i would like an appointment',
      'on saturday',
      'friday at five p m',
      'at eleven in the morning',
    ])
    expect(said[1]).toBe('We are closed on Saturday. Which other day?')
    expect(said[2]).toBe('We are not open then. On Friday we are open from 9 AM to 3 PM. What time?')
    expect(said[3]).toBe('I will ask for an appointment on Friday at 11 AM. Is that right?')
  })

  it('is asked anew when it was read back wrong', () => {
    const { said, deeds } = talk([
      'i need a check up next monday',
      'at one',
      "no that's wrong",
      'thursday',
      'at six',
      'yes',
    ])
    expect(said[2]).toBe('For which day and time, then?')
    expect(deeds).toMatchObject([{ service: 'Check-up', day: { date: '2026-01-08' }, time: '18:00' }])
  })
})

describe('whatever else', () => {
  it('asks back what it has not understood, and at the third time gives the caller to a person', () => {
    const { said, deeds } = talk(['[not understood]', 'the weather is nice', '[not understood]'])
    expect(said.slice(0, 2).every(text => text.startsWith('Sorry, I did not understand.'))).toBe(true)
    expect(deeds).toEqual([{ kind: 'handOver' }])
  })

  it('repeats its last words', () => {
    const { said } = talk(['where are you located', 'pardon'])
    expect(said[1]).toBe(said[0])
  })

  it.each([
    ['can i speak to a person', undefined],
    ['please connect me with billing', 'billing'],
    ['[pressed 0]', undefined],
  ])('connects: %s', (text, to) => {
    const { said, deeds } = talk([text])
    expect(deeds).toEqual([{ kind: 'handOver', ...(to && { to }) }])
    expect(said).toEqual([`One moment please, I will connect you with ${to ?? 'someone'}.`])
  })

  it('offers a message after a transfer that has not come about, and takes it', () => {
    const offered = comeBack(beginning, { destination: 'billing', outcome: 'busy' })
    expect(offered.say).toBe('The line is busy. Would you like to leave a message for billing?')
    const answered = (text: string) => converse(offered.state, saidIn(text, offered.state, understanding), about)
    const taking = answered('yes please')
    expect(taking.state.topic).toEqual({ kind: 'message', person: 'billing' })
    expect(answered('no').say).toBe('Anything else?')
    expect(answered('where are you located').say).toMatch(/12 Harbour Street/)
    expect(answered('please connect me with reception').deed).toEqual({ kind: 'handOver', to: 'reception' })
  })

  it('asks on when the caller wanted to be back', () => {
    const { say, state } = comeBack(beginning, { destination: 'billing', outcome: 'cancelled' })
    expect(say).toBe('What else can I do for you?')
    expect(state.topic.kind).toBe('open')
  })

  it.each([
    'please do not call me again',
    'stop calling me',
    'please take me off your list',
    'could you please put me on the do not call list',
  ])('puts whom the business calls on its list, whatever they were talking about: %s', text => {
    const calling = new Understanding({ ...business, outbound: { enabled: true } })
    const deedOf = (state: State, by: Understanding) => converse(state, saidIn(text, state, by), about).deed
    const dictating = { ...beginning, topic: { kind: 'message' } } as const
    for (const state of [beginning, dictating]) expect(deedOf(state, calling)).toEqual({ kind: 'forbidCalls' })
    expect(deedOf(beginning, understanding)).toBeUndefined()
    expect(report(true, 'callsForbidden')).toMatch(/^You will not be called again\./)
  })

  it('says goodbye and hangs up', () => {
    expect(talk(['goodbye'])).toEqual({
      said: ['Thank you for calling Harbour Dental. Goodbye.'],
      deeds: [{ kind: 'hangUp' }],
    })
  })
})
