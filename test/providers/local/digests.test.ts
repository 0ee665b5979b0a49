import { describe, expect, it } from 'vitest'
import type { CallStory } from '../../../src/agent/ports.ts'
import { limits } from '../../../src/limits.ts'
import { extractiveSummarizer } from '../../../src/providers/local/summarize.ts'
import { localTranscriber, pieced } from '../../../src/providers/local/transcribe.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

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

describe('a message', () => {
  it('waits for callers who are listened to, for a while', async () => {
    const clock = new VirtualClock()
    let [callers, asked] = [true, 0]
    const programs = () => {
      asked += 1
      return Promise.reject(new Error('there is none'))
    }
    const transcriber = localTranscriber({ programs, clock, busy: () => callers })
    const sound = { wav: new Uint8Array(), seconds: 1, language: 'en-US', hints: [] }
    const inVain = expect(transcriber.transcribe(sound, never)).rejects.toMatchObject({ retryable: true })
    await clock.advance(limits.digest.busyMs)
    await inVain
    const heard = expect(transcriber.transcribe(sound, never)).rejects.toThrow('there is none')
    await clock.advance(limits.digest.busyMs / 2)
    expect(asked).toBe(0)
    callers = false
    await clock.advance(limits.digest.busyLookMs)
    await heard
    expect([asked, clock.pending]).toEqual([1, 0])
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
