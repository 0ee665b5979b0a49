import { describe, expect, it } from 'vitest'
import type { Business } from '../../src/business.ts'
import { businessLookup } from '../../src/business-lookup.ts'
import { type ContextSources, callerContext } from '../../src/call/caller-context.ts'
import type { CallFact } from '../../src/call/events.ts'
import type { CallerContext, CallFacts, EarlierCalls, Looked } from '../../src/call/ports.ts'
import { pause } from '../../src/clock.ts'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const earlier: EarlierCalls = { name: 'Ada', count: 2, latest: [{ atMs: 0, outcome: 'callerHungUp' }], open: [] }
const told: Looked = { kind: 'told', name: 'Ada Byron', records: { insurance: 'private' } }
const lookup = businessLookup.parse({ url: 'https://practice.example.com/callers' })

function house(sources: Partial<ContextSources>, { number = '+15550100300', withLookup = true } = {}) {
  const clock = new VirtualClock()
  const facts: CallFact[] = []
  const ending = new AbortController()
  const know = callerContext({ clock, earlierCalls: async () => earlier, lookUp: async () => told, ...sources })
  const call = {
    id: '1.7',
    facts: { callerNumber: number } as CallFacts,
    business: { id: 'dentist', ...(withLookup && { lookup }) } as Business,
    emit: (fact: CallFact) => void facts.push(fact),
  }
  const ask = async (ms: number): Promise<CallerContext | undefined> => {
    let known: CallerContext | undefined
    void know(call, ending.signal).then(context => {
      known = context
    })
    await clock.run(ms)
    return known
  }
  return { clock, facts, ask, ending }
}

const lookedUp = (of: 'store' | 'records', ok: boolean, tookMs: number) =>
  expect.objectContaining({ name: 'callerLookedUp', of, ok, tookMs })
const never = () => new Promise<never>(() => {})

describe('what is known of a caller', () => {
  it('is asked of both at once; the records know the name best', async () => {
    const { ask, facts, clock } = house({})
    expect(await ask(0)).toEqual({ name: 'Ada Byron', earlier, records: { insurance: 'private' } })
    expect(facts).toHaveLength(3)
    expect(facts).toContainEqual(lookedUp('store', true, 0))
    expect(facts).toContainEqual(lookedUp('records', true, 0))
    expect(facts[2]).toEqual({ name: 'callerNamed', by: 'records', private: { name: 'Ada Byron' } })
    expect(clock.pending).toBe(0)
  })

  it('is what came in time: one that is slow keeps nobody, and is told', async () => {
    const { ask, facts, clock } = house({ lookUp: never })
    expect(await ask(lookup.timeoutMs - 1)).toBeUndefined()
    await clock.run(1)
    expect(await ask(lookup.timeoutMs)).toEqual({ name: 'Ada', earlier, records: {} })
    expect(facts).toContainEqual(lookedUp('records', false, lookup.timeoutMs))
    expect(facts).toContainEqual({
      name: 'degraded',
      code: 'LOOKUP_FAILED',
      detail: "The business's records of this caller are not known: it took longer than 800 ms.",
    })
    expect(clock.pending).toBe(0)
  })

  it('of the database is not waited for any longer than its own time', async () => {
    const { ask, facts, clock } = house({ earlierCalls: never })
    const asking = ask(limits.context.storeMs)
    expect(await asking).toEqual({ name: 'Ada Byron', records: { insurance: 'private' } })
    expect(facts).toContainEqual(lookedUp('store', false, limits.context.storeMs))
    expect(facts).toContainEqual(lookedUp('records', true, 0))
    expect(clock.pending).toBe(0)
  })

  it('is nothing, at once, where nobody can be asked', async () => {
    const { ask, facts } = house({ earlierCalls: () => undefined, lookUp: () => undefined })
    expect(await ask(0)).toEqual({ records: {} })
    expect(facts).toEqual([])
  })

  it('is nothing of the number that all have who withhold theirs', async () => {
    for (const number of ['anonymous', '+266696687', '']) {
      const { ask, facts } = house({}, { number, withLookup: false })
      expect(await ask(0)).toEqual({ records: {} })
      expect(facts).toEqual([])
    }
  })

  it('fails without harm, and in words that hold nothing of the caller', async () => {
    const { ask, facts } = house({
      earlierCalls: () => Promise.reject(new Error('no row for +15550100300')),
      lookUp: () => Promise.reject(new GatewayError('TOOL_FAILED', 'it broke off')),
    })
    expect(await ask(0)).toEqual({ records: {} })
    const details = facts.flatMap(fact => (fact.name === 'degraded' ? [fact.detail] : []))
    expect(details).toEqual(["The business's records of this caller are not known: it broke off."])
    expect(facts).toContainEqual(lookedUp('store', false, 0))
  })

  it('is asked no more when the caller is gone', async () => {
    const { ask, facts, ending, clock } = house({ lookUp: never, earlierCalls: never })
    void ask(10)
    await clock.run(10)
    ending.abort(new Error('The caller hung up.'))
    await clock.settle()
    expect(clock.pending).toBe(0)
    expect(facts).toEqual([])
  })

  it('does not pile up before a database that answers nobody', async () => {
    let asked = 0
    const { ask, clock } = house({
      earlierCalls: () => {
        asked += 1
        return pause(clock, 60_000).then(() => earlier)
      },
    })
    for (let call = 0; call < limits.context.askedAtOnce + 10; call++) void ask(0)
    await clock.run(10_000)
    expect(asked).toBe(limits.context.askedAtOnce)
    await clock.run(60_000)
    await ask(0)
    expect(asked).toBe(limits.context.askedAtOnce + 1)
  })
})
