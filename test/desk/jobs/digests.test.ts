import { describe, expect, it } from 'vitest'
import type { CallStory, LeftMessage, StoredSound } from '../../../src/agent/ports.ts'
import { type Business, readBusiness } from '../../../src/business.ts'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import { answer } from '../../../src/desk/jobs/answer.ts'
import { summarize } from '../../../src/desk/jobs/summarize.ts'
import { transcribe } from '../../../src/desk/jobs/transcribe.ts'
import type { TextTaken, TextWish } from '../../../src/desk/text-sender.ts'
import { GatewayError } from '../../../src/errors.ts'
import type { ClaimedJob } from '../../../src/store/jobs.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const never = new AbortController().signal
const plain = readBusiness({
  file: undefined,
  name: 'Dentist',
  phone: undefined,
  ownerPhone: undefined,
  engine: 'scripted',
})
const hidden = { callerNumber: '+15550100177', calledNumber: '+15550100200', parameters: {} }
const announced: CallFact = { name: 'announced', verdict: 'record', private: hidden }
const left: CallFact = {
  name: 'voicemailLeft',
  seconds: 9,
  private: { recording: 'RE1', callerNumber: '+15550100177' },
}

/** A record that a test writes, and what was made and sent. */
function desk(more: Partial<Business> = {}) {
  const clock = new VirtualClock()
  const business: Business = { ...plain, answers: { ...plain.answers, enabled: true }, ...more }
  const told: CallEvent[] = []
  const house = {
    ...{ events: [] as CallFact[], words: 'I need an appointment.', sent: [] as TextWish[] },
    deleted: false,
    sound: async () => ({ wav: new Uint8Array(44), seconds: 9 }),
  }
  const asked: { sounds: StoredSound[]; stories: CallStory[]; messages: LeftMessage[] } = {
    ...{ sounds: [], stories: [], messages: [] },
  }
  const taken: TextTaken[] = []
  const facts = () => [...house.events, ...told.map(({ fact }) => fact)]
  const stored = () =>
    facts().map(({ name, ...rest }) => {
      const { private: secret, ...details } = rest as Record<string, unknown>
      return { at: new Date(0), name, details, private: (secret ?? null) as Record<string, unknown> | null }
    })
  const parts = {
    find: (id: string) => (id === 'dentist' ? business : undefined),
    record: async (call: string) => ({ id: call.replace('leg-', ''), events: stored() as never }),
    tell: (event: CallEvent) => void told.push(event),
    kept: async () => {},
    clock,
  }
  const summarizer = {
    by: 'provider' as const,
    async summarize(story: CallStory) {
      asked.stories.push(story)
      const made = { who: 'Ann', why: 'a tooth', outcome: 'none', followUp: '', urgency: 'soon' as const }
      return { ...made, usage: { inputTokens: 3 }, model: 'a-model' }
    },
    async answer(message: LeftMessage) {
      asked.messages.push(message)
      return { intent: 'an appointment', data: { day: 'Monday' }, reply: 'We will call you.' as string | undefined }
    },
  }
  const handlers = {
    transcribe: transcribe({
      ...parts,
      transcriber: {
        by: 'provider',
        async transcribe(sound) {
          asked.sounds.push(sound)
          return { text: house.words, usage: {}, model: 'a-model' }
        },
      },
      sound: () => house.sound(),
      isElsewhere: async () => false,
      isDeleted: async () => house.deleted,
      isWritten: async recording => facts().some(fact => fact.name === 'transcribed' && fact.recording === recording),
    }),
    summarize: summarize({
      ...parts,
      summarizer,
      isTold: async () => facts().some(({ name }) => name === 'summarized'),
      transcripts: async () =>
        facts().flatMap(fact => (fact.name === 'transcribed' ? [{ text: fact.private.text }] : [])),
    }),
    answer: answer({
      ...parts,
      summarizer,
      texts: {
        async send(wish) {
          house.sent.push(wish)
          return taken.shift() ?? { kind: 'taken', status: 'wanted' }
        },
      },
      words: async () => house.words,
    }),
  }
  const run = (kind: keyof typeof handlers, subject: ClaimedJob['subject'] = { call: 'leg-c1', recording: 'RE1' }) =>
    handlers[kind]({ kind, id: '1', key: '', business: 'dentist', subject, attempts: 1 }, never)
  const names = () => told.map(({ fact }) => fact.name)
  return { house, asked, told, taken, summarizer, run, names }
}

describe('what a caller has left', () => {
  it('is written down once, with the names that a stranger could not spell', async () => {
    const services = [{ name: 'Root canal', minutes: 30 }]
    const { run, told, asked } = desk({ services })
    await run('transcribe')
    await run('transcribe')
    expect(told.map(({ fact }) => fact)).toEqual([
      { name: 'transcribed', recording: 'RE1', by: 'provider', private: { text: 'I need an appointment.' } },
    ])
    expect(asked.sounds).toHaveLength(1)
    expect(asked.sounds[0]).toMatchObject({ seconds: 9, language: 'en-US', hints: ['Dentist', 'Root canal'] })
  })
})

describe('what a caller had left and somebody has deleted', () => {
  it('is not written down, and that is no failure, also when it goes at that moment', async () => {
    const gone = desk()
    gone.house.deleted = true
    await gone.run('transcribe')
    const going = desk()
    const missing = new GatewayError('TOOL_FAILED', 'The file is not there any more.')
    going.house.sound = async () => {
      going.house.deleted = true
      throw missing
    }
    await going.run('transcribe')
    expect([gone.told, gone.asked.sounds, going.told]).toEqual([[], [], []])
    const lost = desk()
    lost.house.sound = () => Promise.reject(missing)
    await expect(lost.run('transcribe')).rejects.toBe(missing)
  })
})

describe('a call', () => {
  const spoke: CallFact = { name: 'callerSpoke', private: { text: 'My tooth hurts.' } }
  const ended: CallFact = { name: 'ended', reason: 'callerHungUp', durationMs: 900 }

  it('is told in short once, with what came of it and what it cost', async () => {
    const { house, run, told, asked } = desk()
    house.events = [
      spoke,
      { name: 'agentSpoke', ms: 9, complete: true, private: { text: 'I am sorry.' } },
      { name: 'messageTaken', urgent: true, private: { text: 'call me', callback: '+15550100177' } },
      ended,
    ]
    await run('summarize')
    await run('summarize')
    expect(told.map(({ call, fact }) => [call, fact.name])).toEqual([
      ['c1', 'usageCounted'],
      ['c1', 'summarized'],
    ])
    expect(asked.stories).toHaveLength(1)
    expect(asked.stories[0]).toMatchObject({
      said: [
        { who: 'caller', text: 'My tooth hurts.' },
        { who: 'agent', text: 'I am sorry.' },
      ],
      happened: ['A message was taken.', 'The caller hung up.'],
      left: ['Call back +15550100177: call me'],
      urgent: true,
    })
  })

  it('is not told in short any more when what was left in it is deleted', async () => {
    const { house, run, told, asked } = desk()
    const wordless = { name: 'transcribed', recording: 'RE1', by: 'provider' } as unknown as CallFact
    house.events = [spoke, left, wordless, ended]
    await run('summarize')
    expect([told, asked.stories]).toEqual([[], []])
  })

  it('is told by what was left in it, and not at all when nobody has said a word, or while it goes on', async () => {
    const silent = desk()
    silent.house.events = [ended]
    await silent.run('summarize')
    const goesOn = desk()
    goesOn.house.events = [spoke, { ...ended, reason: 'lost' }, { name: 'takenOver' }]
    await goesOn.run('summarize')
    expect([silent.told, goesOn.told]).toEqual([[], []])
    const message = desk()
    message.house.events = [left]
    await message.run('transcribe')
    await message.run('summarize')
    expect(message.asked.stories[0]?.said).toEqual([{ who: 'caller', text: 'I need an appointment.' }])
  })
})

describe('whom nobody but a recording has heard', () => {
  it('is written to once, under one id', async () => {
    const { house, run, told } = desk()
    house.events = [announced, left]
    await run('answer')
    await run('answer')
    expect(house.sent.map(({ channel, to, text }) => [channel, to, text])).toEqual([
      ['whatsapp', '+15550100177', 'We will call you.'],
    ])
    const { id } = house.sent[0]!
    expect(told.map(({ fact }) => fact)).toEqual([
      {
        ...{ name: 'callerAnswered', recording: 'RE1', by: 'provider', text: id },
        private: { intent: 'an appointment', data: { day: 'Monday' } },
      },
    ])
  })

  it('is written to by the next way where the first is closed, and found to be answered already', async () => {
    const { house, taken, run, told } = desk()
    house.events = [announced, left]
    taken.push({ kind: 'refused', why: 'outsideSession', words: '' }, { kind: 'conflict' })
    await run('answer')
    expect(house.sent.map(({ channel }) => channel)).toEqual(['whatsapp', 'sms'])
    expect(new Set(house.sent.map(({ id }) => id)).size).toBe(1)
    expect(told[0]?.fact).toMatchObject({ name: 'callerAnswered', text: house.sent[0]!.id })
  })

  it('is not written to who has said STOP, has no number, or whom only a person can answer', async () => {
    const stopped = desk()
    stopped.house.events = [announced, left]
    stopped.taken.push({ kind: 'refused', why: 'stopped', words: '' }, { kind: 'refused', why: 'stopped', words: '' })
    await stopped.run('answer')
    const withheld = desk()
    withheld.house.events = [
      { ...announced, private: { ...hidden, callerNumber: 'anonymous' } },
      { ...left, private: { recording: 'RE1', callerNumber: undefined } },
    ] as CallFact[]
    await withheld.run('answer')
    const hard = desk()
    hard.house.events = [announced, left]
    hard.summarizer.answer = async () => ({ intent: 'a threat', data: {} as never, reply: undefined })
    await hard.run('answer')
    expect([stopped, withheld, hard].map(({ told }) => told[0]?.fact)).toMatchObject([
      { name: 'callerAnswered', why: 'stopped' },
      { name: 'callerAnswered', why: 'noNumber' },
      { name: 'callerAnswered', why: 'noReply' },
    ])
    expect([withheld.house.sent, hard.house.sent]).toEqual([[], []])
  })

  it('comes again when too many messages wait', async () => {
    const { house, taken, run, told } = desk()
    house.events = [announced, left]
    taken.push({ kind: 'refused', why: 'full', words: 'Too many messages wait.' })
    await expect(run('answer')).rejects.toMatchObject({ retryable: true })
    expect(told).toEqual([])
  })

  it('are those alone: not who has spoken with the agent, nor of a business that answers nobody', async () => {
    const other = desk()
    other.house.events = [left]
    await other.run('answer')
    const off = desk({ answers: plain.answers })
    off.house.events = [announced, left]
    await off.run('answer')
    expect([other.told, off.told, other.asked.messages, off.asked.messages]).toEqual([[], [], [], []])
  })
})
