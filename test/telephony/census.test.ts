import { describe, expect, it } from 'vitest'
import { takeCensus } from '../../src/telephony/census.ts'

const channel = (id: string) => ({
  id: id.split('@')[0]!,
  name: id,
  state: 'Up',
  context: id.split('@')[1] ?? 'from-twilio',
  inStasis: !id.includes('@'),
})
const bridge = (id: string) => ({ id, technology: 'simple_bridge', channels: [] })

/** Callers are digits, what we make begins `p:`; what stands after an @ is the context of the dialplan. */
function census(snapshot: { channels?: string[]; bridges?: string[]; own?: string[] }, known: Partial<Known> = {}) {
  const { channels = [], bridges = [], own = channels.filter(id => !id.includes('@')) } = snapshot
  const taken = takeCensus(
    { channels: channels.map(channel), bridges: bridges.map(bridge), own },
    {
      before: known.before ?? [],
      joined: known.joined ?? [],
      now: new Set(known.now),
      departed: new Set(known.departed),
    },
    'p:',
  )
  return { ...taken, unknown: taken.unknown.map(({ id }) => id) }
}

interface Known {
  before: string[]
  joined: string[]
  now: string[]
  departed: string[]
}

const nothing = {
  missing: [],
  ended: [],
  returned: [],
  astray: [],
  talking: [],
  unknown: [],
  orphanChannels: [],
  orphanBridges: [],
  outsiders: 0,
}

describe('the census', () => {
  it('finds nothing when the books agree', () => {
    const known = { before: ['1', 'p:m'], now: ['1', 'p:m', 'p:b'] }
    expect(census({ channels: ['1', 'p:m'], bridges: ['p:b'] }, known)).toEqual(nothing)
  })

  it('misses a channel of a leg that has ended or has left the application', () => {
    const known = { before: ['1', '2', '3'], now: ['1', '2', '3'] }
    expect(census({ channels: ['1', '2'], own: ['1'] }, known)).toEqual({
      ...nothing,
      missing: ['2', '3'],
      outsiders: 1,
    })
  })

  it('does not miss one that came after Asterisk was asked', () => {
    expect(census({}, { before: [], now: ['1', 'p:m', 'p:b'] })).toEqual(nothing)
  })

  it('finds callers that no leg has, those in the application apart from those elsewhere', () => {
    expect(census({ channels: ['1', '2'], own: ['2'] })).toEqual({ ...nothing, unknown: ['2'], outsiders: 1 })
  })

  it('does not take a caller for unknown who has left since', () => {
    expect(census({ channels: ['1'] }, { before: ['1'], departed: ['1'] })).toEqual(nothing)
    expect(census({ channels: ['2'] }, { departed: ['2'] })).toEqual(nothing)
  })

  it('finds what we made and no leg has, in the application or not', () => {
    const found = census(
      { channels: ['p:old', 'p:new', '9'], own: [], bridges: ['p:b1', 'p:b2', 'other'] },
      { now: ['p:new', 'p:b2'] },
    )
    expect(found).toEqual({ ...nothing, orphanChannels: ['p:old'], orphanBridges: ['p:b1'], outsiders: 1 })
  })

  it('leaves a caller of ours alone who is joined with somebody else, and neither is an outsider', () => {
    const known = { joined: ['1'], now: ['1', 'p:dialled:1:a:2'] }
    expect(census({ channels: ['1@transferred', 'p:dialled:1:a:2@transferred'] }, known)).toEqual(nothing)
  })

  it('finds the joined who are gone, who have been given back, and who were led elsewhere', () => {
    const known = { joined: ['1', '2', '3'], now: ['1', '2', '3'] }
    expect(census({ channels: ['2', '3@fallback'] }, known)).toEqual({
      ...nothing,
      ended: ['1'],
      returned: ['2'],
      astray: ['3'],
      outsiders: 1,
    })
  })

  it('does not take a caller for given back who has been joined while Asterisk was asked', () => {
    expect(census({ channels: ['1'] }, { joined: ['1'], now: ['1'], departed: ['1'] })).toEqual(nothing)
  })

  it('lets those talk on whom an earlier life has joined: two outsiders, and no orphan', () => {
    expect(census({ channels: ['1@transferred', 'p:dialled:1:old:2@from-destination'] })).toEqual({
      ...nothing,
      talking: ['1'],
      outsiders: 2,
    })
  })

  it('removes who was dialled by an earlier life and is with nobody', () => {
    const ids = ['p:dialled:1:old:2', 'p:dialled:2:old:2', 'p:dialled:3:old:2']
    const found = census({ channels: ['1@fallback', '2', ...ids], own: ['2', ...ids] })
    expect(found).toEqual({ ...nothing, unknown: ['2'], orphanChannels: ids, outsiders: 1 })
  })
})
