import { describe, expect, it } from 'vitest'
import { type Business, readBusiness } from '../../src/business.ts'
import type { CallFact } from '../../src/call/events.ts'
import { jobsWantedBy } from '../../src/desk/wanted.ts'
import { limits } from '../../src/limits.ts'
import type { CallKnowledge } from '../../src/store/call-knowledge.ts'

const given = { file: undefined, name: 'Dentist', phone: undefined, ownerPhone: undefined, engine: 'scripted' } as const
const plain = readBusiness(given)
const all: Business = {
  ...plain,
  notify: { phone: '+15550100201', email: 'owner@example.com', webhook: 'https://example.com/told' },
  answers: { ...plain.answers, enabled: true },
}
const nothing: Business = { ...plain, notify: {}, digests: { transcribe: false, summarize: false } }
const atMs = Date.UTC(2026, 0, 5)
const wantedBy = (fact: CallFact, business: Business | undefined = all, call = 'CA1') =>
  jobsWantedBy({ call, business: 'dentist', atMs, fact }, business)
const named = (fact: CallFact, business?: Business) =>
  wantedBy(fact, business).map(({ kind, key }) => `${kind}: ${key}`)

const recording = 'RE1'
const left: CallFact = { name: 'voicemailLeft', seconds: 9, private: { recording, callerNumber: '+15550100177' } }
const digest = { by: 'provider', private: { text: 'hello' } } as const
const hidden = { callerNumber: '+15550100177', calledNumber: '+15550100200' }

/** Every fact of which something follows. */
const table: readonly (readonly [string, CallFact, readonly string[]])[] = [
  [
    'a recording that is over',
    { name: 'recordingEnded', recording, seconds: 9, why: 'callEnded', shedFrames: 0 },
    ['convert: RE1'],
  ],
  [
    'a voicemail',
    left,
    [
      ...['convert: RE1', 'transcribe: RE1'],
      ...['text', 'mail', 'webhook'].map(by => `notify: CA1 voicemail ${by} RE1`),
    ],
  ],
  [
    'words of a voicemail',
    { name: 'transcribed', recording, ...digest },
    [
      'summarize: CA1 RE1',
      'answer: RE1',
      ...['text', 'mail', 'webhook'].map(by => `notify: CA1 voicemailWords ${by} RE1`),
    ],
  ],
  [
    'a caller who hung up',
    { name: 'ended', reason: 'callerHungUp', durationMs: 900 },
    ['summarize: CA1 callerHungUp', ...['text', 'mail', 'webhook'].map(by => `notify: CA1 missedCall ${by} ended`)],
  ],
  [
    'a recording that may go on',
    { name: 'recordingEnded', recording, seconds: 9, why: 'transferred', shedFrames: 0 },
    [],
  ],
  [
    'a call that went elsewhere',
    { name: 'ended', reason: 'transferred', durationMs: 900 },
    ['convert: CA1', 'summarize: CA1 transferred'],
  ],
  ['a call that another gateway has', { name: 'ended', reason: 'takenOver', durationMs: 900 }, []],
  [
    'what the carrier says of the end',
    { name: 'carrierTold', status: 'completed', direction: 'inbound', private: hidden },
    [
      'summarize: CA1 carrierTold',
      ...['text', 'mail', 'webhook'].map(by => `notify: CA1 missedCall ${by} carrierTold`),
    ],
  ],
  ['what it says meanwhile', { name: 'carrierTold', status: 'ringing', direction: 'inbound', private: hidden }, []],
  [
    'an urgent message',
    { name: 'messageTaken', urgent: true, private: { text: 'a burst pipe', callback: '+15550100177' } },
    ['text', 'mail', 'webhook'].map(by => `notify: CA1 urgent ${by} ${atMs}`),
  ],
  ['any other message', { name: 'messageTaken', private: { text: 'hello', callback: '+15550100177' } }, []],
  [
    'a voicemail that stays with the carrier',
    { name: 'recordingGivenUp', recording, why: 'the carrier answered 404' },
    ['text', 'mail', 'webhook'].map(by => `notify: CA1 voicemail ${by} RE1`),
  ],
  ['an answer', { name: 'answered', setUpMs: 9 }, []],
  ['a word', { name: 'callerSpoke', private: { text: 'hello' } }, []],
]

describe('what follows from what happened', () => {
  it.each(table)('from %s', (_of, fact, jobs) => {
    expect(named(fact)).toEqual(jobs)
  })

  it('is nothing that the business does not want', () => {
    expect(table.flatMap(([, fact]) => named(fact, nothing))).toEqual(['convert: RE1', 'convert: RE1', 'convert: CA1'])
  })

  it('is of a business that is not known any more what becomes of its files', () => {
    const gone = table.flatMap(([, fact]) => jobsWantedBy({ call: 'CA1', business: 'gone', atMs, fact }, undefined))
    expect(gone.map(({ kind }) => kind)).toEqual(['convert', 'convert', 'convert'])
  })

  it('is after the end of a call nothing of which nothing could come', () => {
    const ends = table.map(([, fact]) => fact).filter(({ name }) => name === 'ended' || name === 'carrierTold')
    const ofAll = (known: CallKnowledge) =>
      ends.flatMap(fact => jobsWantedBy({ call: 'CA1', business: 'dentist', atMs, fact }, all, known))
    const kinds = (known: CallKnowledge) => [...new Set(ofAll(known).map(({ kind }) => kind))].sort()
    expect(kinds({ heard: false, spokenWith: false, recorded: false })).toEqual(['notify'])
    expect(kinds({ heard: true, spokenWith: true, recorded: false })).toEqual(['summarize'])
    expect(kinds({ heard: false, spokenWith: true, recorded: true })).toEqual(['convert'])
    expect(named({ name: 'transcribed', recording, by: 'builtIn', private: { text: '' } })).toEqual([])
  })

  it('is no notice of a missed call for a business that takes none', () => {
    const ended: CallFact = { name: 'ended', reason: 'callerHungUp', durationMs: 900 }
    expect(named(ended, { ...all, active: false })).toEqual(['summarize: CA1 callerHungUp'])
  })

  it("holds nothing of what was said and nobody's number", () => {
    const wanted = JSON.stringify(table.flatMap(([, fact]) => wantedBy(fact)))
    expect(wanted).not.toMatch(/\+1555|burst|hello/)
  })

  it('waits for the rest of what is told of a call, and keeps a sound for as long as it is written down', () => {
    const ended = wantedBy({ name: 'ended', reason: 'callerHungUp', durationMs: 900 })
    expect(new Set(ended.map(({ afterMs }) => afterMs))).toEqual(new Set([atMs + limits.notice.graceMs]))
    expect(
      wantedBy(left)
        .map(({ kind, afterMs }) => [kind, afterMs])
        .slice(0, 2),
    ).toEqual([
      ['convert', atMs + limits.digest.soundKeptMs],
      ['transcribe', undefined],
    ])
    // Also where nobody writes it down but when a person asks for it.
    expect(wantedBy(left, nothing)[0]).toHaveProperty('afterMs', atMs + limits.digest.soundKeptMs)
  })
})
