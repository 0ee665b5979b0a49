import { describe, expect, it } from 'vitest'
import { takeCensus } from '../../src/telephony/census.ts'

const channel = (id: string) => ({ id, name: id, state: 'Up' })
const bridge = (id: string) => ({ id, technology: 'simple_bridge', channels: [] })

/** Callers are digits, what we make begins `p:`. */
function census(snapshot: { channels?: string[]; bridges?: string[]; own?: string[] }, known: Partial<Known> = {}) {
  const { channels = [], bridges = [], own = channels } = snapshot
  const taken = takeCensus(
    { channels: channels.map(channel), bridges: bridges.map(bridge), own },
    { before: known.before ?? [], now: new Set(known.now), departed: new Set(known.departed) },
    'p:',
  )
  return { ...taken, unknown: taken.unknown.map(({ id }) => id) }
}

interface Known {
  before: string[]
  now: string[]
  departed: string[]
}

const nothing = { missing: [], unknown: [], orphanChannels: [], orphanBridges: [], outsiders: 0 }

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
})
