import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CallEvent, CallFact } from '../../src/call/events.ts'
import { openJournal } from '../../src/call/journal.ts'
import { transferredUntil, unfinishedCalls } from '../../src/call/unfinished.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-unfinished-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const facts = {
  offered: { name: 'offered', engine: 'scripted', codec: 'ulaw', private: {} as never },
  answered: { name: 'answered', setUpMs: 40 },
  takenOver: { name: 'takenOver' },
  spoke: { name: 'callerSpoke', private: { text: 'hello' } },
  ended: { name: 'ended', reason: 'callerHungUp', durationMs: 9 },
  refused: { name: 'refused', reason: 'capacity' },
  told: { name: 'carrierTold', status: 'ringing', direction: 'inbound', private: {} as never },
  usage: { name: 'usageCounted', model: 'm', inputTokens: 3 },
  voicemail: { name: 'voicemailLeft', seconds: 3, private: { recording: 'r', callerNumber: undefined } },
} as const satisfies Record<string, CallFact>

/** Each call's events, one a second, in turn with the other calls'. */
async function written(calls: Readonly<Record<string, readonly (keyof typeof facts)[]>>) {
  const journal = await openJournal({ directory, clock: new VirtualClock(), trouble: () => {} })
  const rounds = Math.max(...Object.values(calls).map(names => names.length))
  for (let round = 0; round < rounds; round++) {
    for (const [call, names] of Object.entries(calls)) {
      const name = names[round]
      if (name) journal.append({ call, business: 'dentist', atMs: 1_000 * round, fact: facts[name] })
    }
  }
  await journal.flushed()
  return journal
}

const lost = (call: string, atMs: number, more: object): CallEvent =>
  ({ call, business: 'dentist', atMs, fact: { name: 'ended', reason: 'lost', ...more } }) as CallEvent

describe('calls that a killed gateway has left open', () => {
  it('end when they were last heard of, and no other does', async () => {
    const journal = await written({
      talking: ['offered', 'answered', 'spoke', 'spoke'],
      ringing: ['offered'],
      over: ['offered', 'answered', 'ended'],
      turnedAway: ['refused'],
      voicemail: ['voicemail'],
      elsewhere: ['told', 'told', 'usage'],
      summarized: ['offered', 'answered', 'ended', 'usage'],
      takenBack: ['offered', 'answered', 'ended', 'offered', 'takenOver'],
    })
    const open = await unfinishedCalls(journal)
    expect(open.get('talking')!.events.map(({ fact }) => fact.name)).toEqual([
      ...['offered', 'answered', 'callerSpoke', 'callerSpoke'],
    ])
    expect([...open.values()].map(({ end }) => end)).toEqual([
      lost('talking', 3_000, { durationMs: 3_000, answeredMs: 2_000 }),
      lost('ringing', 0, { durationMs: 0 }),
      lost('takenBack', 4_000, { durationMs: 1_000, answeredMs: 0 }),
    ])
    await journal.close()
  })

  it('are known with what was left in them, which is not when they were last heard of', async () => {
    const journal = await written({
      thanked: ['offered', 'answered', 'voicemail', 'spoke', 'voicemail'],
      over: ['offered', 'ended', 'voicemail'],
    })
    const open = await unfinishedCalls(journal)
    expect([...open.keys()]).toEqual(['thanked'])
    const names = open.get('thanked')!.events.map(({ fact }) => fact.name)
    expect(names).toEqual(['offered', 'answered', 'voicemailLeft', 'callerSpoke', 'voicemailLeft'])
    expect(open.get('thanked')!.end).toEqual(lost('thanked', 3_000, { durationMs: 3_000, answeredMs: 2_000 }))
    await journal.close()
  })

  it('end as transferred where the caller has gone on talking with somebody else', () => {
    const end = lost('talking', 3_000, { durationMs: 2_000, answeredMs: 1_500 })
    const fact = { name: 'ended', reason: 'transferred', durationMs: 9_000, answeredMs: 8_500 }
    expect(transferredUntil(end, 10_000)).toEqual({ ...end, atMs: 10_000, fact })
  })

  it('are ended once', async () => {
    const journal = await written({ talking: ['offered', 'answered'] })
    for (const { end } of (await unfinishedCalls(journal)).values()) journal.append(end)
    await journal.flushed()
    expect((await unfinishedCalls(journal)).size).toBe(0)
    await journal.close()
  })
})
