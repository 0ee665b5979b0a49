import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CallEvent } from '../../src/call/events.ts'
import { createLog } from '../../src/log.ts'
import { recordingWebhooks } from '../../src/twilio/recording.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const call = `CA${'0'.repeat(31)}1`
const recording = `RE${'0'.repeat(31)}2`
const url = `https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/${recording}`
const numbers = { From: '+15550100177', To: '+15550100200' }
const ended = { CallSid: call, RecordingUrl: url, RecordingDuration: '9', Digits: 'hangup', ...numbers }
const kept = { CallSid: call, RecordingSid: recording, RecordingUrl: url, RecordingDuration: '9' }

function edge(disk: () => Promise<void> = async () => {}) {
  const events: CallEvent[] = []
  let wakes = 0
  const named = (id: string) => ({ id }) as never
  const [reception, voicemail] = recordingWebhooks({
    businesses: () => ({
      standard: named('dentist'),
      find: id => (id === 'plumber' ? named('plumber') : undefined),
      withNumber: () => undefined,
    }),
    tell: event => void events.push(event),
    kept: disk,
    clock: new VirtualClock(),
    log: createLog('silent'),
    recorded: () => {
      wakes += 1
    },
  })
  const ask = (fields: Record<string, string>, query: Record<string, string> = {}) =>
    (query['at'] === 'reception' ? reception : voicemail)!.answer({ query, fields })
  return { ask, events, wakes: () => wakes }
}

const hungUp = { kind: 'twiml', xml: expect.stringMatching(/<Response><Hangup\s*\/><\/Response>$/) }

describe('a recording', () => {
  it('is awaited from its end on, and fetched when the carrier has it; the address is of no use but for its sid', async () => {
    const { ask, events, wakes } = edge()
    expect(await ask(ended, { business: 'plumber' })).toEqual(hungUp)
    expect(wakes()).toBe(0)
    expect(await ask({ ...kept, RecordingStatus: 'completed' }, { business: 'plumber' })).toEqual({ kind: 'taken' })
    expect(wakes()).toBe(1)
    const fact = { name: 'recordingAwaited', recording, seconds: 9 }
    expect(events).toMatchObject([
      { call, business: 'plumber', fact: { ...fact, private: { callerNumber: '+15550100177' } } },
      { call, business: 'plumber', fact: { ...fact, private: { callerNumber: undefined } } },
    ])
  })

  it('of a call that was asked for is told under its own id', async () => {
    const { ask, events } = edge()
    await ask(ended, { record: 'out-1', at: 'reception' })
    expect(events).toMatchObject([{ call: 'out-1', business: 'dentist' }])
  })

  it.each([
    ['absent', 'nothing was said'],
    ['failed', 'the carrier could not record it'],
  ])('that is %s is not waited for', async (RecordingStatus, why) => {
    const { ask, events, wakes } = edge()
    expect(await ask({ ...kept, RecordingStatus })).toEqual({ kind: 'taken' })
    expect(events).toMatchObject([{ fact: { name: 'recordingGivenUp', recording, why } }])
    expect(wakes()).toBe(0)
  })

  it('that has only begun is no news', async () => {
    const { ask, events } = edge()
    expect(await ask({ ...kept, RecordingStatus: 'in-progress' })).toEqual({ kind: 'taken' })
    expect(events).toEqual([])
  })

  it('meets nobody on the telephone with an error, and is no receipt without a disk', async () => {
    const full = async () => {
      throw new Error('no space')
    }
    expect(await edge(full).ask(ended)).toEqual(hungUp)
    await expect(edge(full).ask({ ...kept, RecordingStatus: 'completed' })).rejects.toThrow('no space')
  })

  it('that is none is over, or refused', async () => {
    const { ask, events } = edge()
    expect(await ask({ CallSid: call, ...numbers })).toEqual(hungUp)
    expect(await ask({ ...kept, RecordingSid: 'RE../..', RecordingStatus: 'completed' })).toMatchObject({ status: 400 })
    expect(events).toEqual([])
  })
})

it('throws at nothing, and names only files that can be', async () => {
  const names = [...Object.keys(ended), 'RecordingSid', 'RecordingStatus']
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(call, recording, url, 'completed', 'absent', '__proto__', '../../etc'),
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), value), async fields => {
      const { ask, events } = edge()
      expect(['twiml', 'taken', 'refused']).toContain((await ask(fields)).kind)
      for (const { fact } of events) expect((fact as { recording: string }).recording).toMatch(/^RE[0-9a-f]{32}$/i)
    }),
  )
})
