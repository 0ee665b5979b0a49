import { describe, expect, it } from 'vitest'
import { hookEvents } from '../../src/business-kept.ts'
import type { CallEvent, CallFact } from '../../src/call/events.ts'
import { deliveriesWantedBy, toldOf } from '../../src/desk/hooks.ts'
import {
  atMs,
  businessWith,
  callerNumber,
  eventOf,
  newsFacts as facts,
  hook,
  offered,
  recordingEnded,
  secretWords,
  storyOf,
} from '../support/hooked.ts'

const ended = facts['call.ended']

describe('what an integrator is told', () => {
  it.each(hookEvents)('%s: is wanted once, and made of the record with nothing of the caller in it', type => {
    const fact = facts[type]
    const business = businessWith(hook)
    const [job, ...others] = deliveriesWantedBy(eventOf(fact), business)
    expect(others).toEqual([])
    expect(job).toMatchObject({ kind: 'deliver', business: 'dentist', group: 'dentist crm', subject: { hook: 'crm' } })
    expect(deliveriesWantedBy(eventOf(fact), business)).toEqual([job])
    const story = storyOf(offered, recordingEnded, fact)
    const sought = { delivery: job!.key, call: 'c1', business: 'dentist' }
    const told = toldOf({ ...sought, hook }, story)!
    const body = JSON.parse(told.body)
    expect(body).toMatchObject({
      ...{ type, timestamp: '2026-01-05T09:00:00.000Z' },
      data: { call: 'CA1', business: 'dentist', sequence: type === 'call.started' ? 1 : 3 },
    })
    for (const secret of [secretWords, callerNumber, '0100377', 'via']) expect(told.body).not.toContain(secret)
    const open = JSON.parse(toldOf({ ...sought, hook: { ...hook, private: true } }, story)!.body)
    expect(open.data.private.callerNumber).toBe(callerNumber)
    expect(JSON.stringify(open)).not.toContain('via')
  })

  it('is a delivery for each hook that wants it', () => {
    const other = { ...hook, name: 'other', events: ['call.ended' as const] }
    const off = { ...hook, name: 'off', enabled: false }
    const hooksOf = (fact: CallFact) =>
      deliveriesWantedBy(eventOf(fact), businessWith(hook, other, off)).map(({ subject }) => subject['hook'])
    expect(hooksOf(ended)).toEqual(['crm', 'other'])
    expect(hooksOf(offered)).toEqual(['crm'])
    expect(hooksOf({ name: 'agentPaused' })).toEqual([])
  })

  it('is the same news whoever tells it again, and other news for another call, hook or moment', () => {
    const keyOf = (event: CallEvent, of = hook) => deliveriesWantedBy(event, businessWith(of))[0]?.key
    const left = facts['voicemail.left']
    expect(keyOf(eventOf(left, { atMs: atMs + 60_000 }))).toBe(keyOf(eventOf(left)))
    expect(keyOf(eventOf(ended, { atMs: atMs + 60_000 }))).toBe(keyOf(eventOf(ended)))
    const taken = facts['message.taken']
    const keys = [
      keyOf(eventOf(taken)),
      keyOf(eventOf(taken, { atMs: atMs + 1 })),
      keyOf(eventOf(taken, { call: 'c2' })),
      keyOf(eventOf(taken), { ...hook, name: 'other' }),
    ]
    expect(new Set(keys).size).toBe(4)
  })

  it('is neither a part of a call nor an end that is none, nor a voicemail that was made smaller', () => {
    const business = businessWith(hook)
    expect(deliveriesWantedBy(eventOf({ ...offered, again: true } as CallFact), business)).toEqual([])
    for (const reason of ['takenOver', 'redirected'] as const)
      expect(deliveriesWantedBy(eventOf({ name: 'ended', reason, durationMs: 1 }), business)).toEqual([])
    const converted = facts['recording.ready']
    const [job] = deliveriesWantedBy(eventOf(converted), business)
    const sought = { delivery: job!.key, call: 'c1', business: 'dentist', hook }
    expect(toldOf(sought, storyOf(offered, converted))).toBeUndefined()
  })

  it('leaves away what is too long to be told', () => {
    const long: CallFact = { ...facts['voicemail.transcribed'], private: { text: 'x'.repeat(70_000) } } as CallFact
    const open = { ...hook, private: true }
    const [job] = deliveriesWantedBy(eventOf(long), businessWith(open))
    const told = toldOf({ delivery: job!.key, call: 'c1', business: 'dentist', hook: open }, storyOf(offered, long))!
    expect(JSON.parse(told.body).data).toMatchObject({ recording: 'v1', tooLong: true })
    expect(told.body.length).toBeLessThan(1_000)
  })
})
