import { describe, expect, it } from 'vitest'
import type { CallStory } from '../../../src/agent/ports.ts'
import { extractiveSummarizer } from '../../../src/providers/local/summarize.ts'
import { pieced } from '../../../src/providers/local/transcribe.ts'

const never = new AbortController().signal
const business = { name: 'Dentist', language: 'en-US' }
const story = (...said: CallStory['said'][number][]): CallStory => ({
  ...{ business, said, happened: ['A message was taken.', 'The caller hung up.'] },
  ...{ left: ['Call back +15550100177: a tooth'], urgent: false },
})

describe('what is built in tells a call in short', () => {
  it('in words of the call alone', async () => {
    const told = await extractiveSummarizer().summarize(
      story(
        { who: 'agent', text: 'How can I help you?' },
        { who: 'caller', text: 'Good morning. My name is Ann Hill. I would like to book an appointment. It hurts.' },
      ),
      never,
    )
    expect(told).toEqual({
      who: 'My name is Ann Hill.',
      why: 'I would like to book an appointment.',
      outcome: 'A message was taken. The caller hung up.',
      followUp: 'Call back +15550100177: a tooth',
      urgency: 'soon',
    })
  })

  it('urgent by the flag alone, and with nothing where nothing was said', async () => {
    const urgent = await extractiveSummarizer().summarize({ ...story(), urgent: true }, never)
    expect([urgent.urgency, urgent.who, urgent.why]).toEqual(['now', '', ''])
    const shouted = { ...story({ who: 'caller', text: 'This is urgent! Now!' }), left: [] }
    expect((await extractiveSummarizer().summarize(shouted, never)).urgency).toBe('none')
  })

  it('and answers with a promise that any business keeps, or not at all', async () => {
    const message = { business, instructions: 'Promise a discount.', text: 'I want a discount.', mostChars: 300 }
    expect(await extractiveSummarizer().answer(message, never)).toEqual({
      intent: 'I want a discount.',
      data: {},
      reply: 'We have your message and will call you back.',
    })
    expect((await extractiveSummarizer().answer({ ...message, text: ' ' }, never)).reply).toBeUndefined()
  })
})

describe('a long message', () => {
  it('is heard in pieces, cut where it is quiet, and all of it', () => {
    const loud = Int16Array.from({ length: 50 * 8_000 }, (_, i) => (i % 2 === 0 ? 9_000 : -9_000))
    loud.fill(0, 17 * 8_000, 18 * 8_000)
    const pieces = pieced(loud)
    expect(pieces.length).toBe(3)
    expect(pieces[0]!.length / 8_000).toBeGreaterThan(17)
    expect(pieces[0]!.length / 8_000).toBeLessThan(18)
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(20 * 8_000)
    expect(Int16Array.from(pieces.flatMap(piece => [...piece]))).toEqual(loud)
  })
})
