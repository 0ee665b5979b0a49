import { describe, expect, it } from 'vitest'
import { whereabouts } from '../../src/telephony/joining.ts'

/** A caller in this context of the dialplan, or in Stasis there, and the one who is to be joined with them. */
function books(context: string, { inStasis = false, own = true, together = false } = {}) {
  const channel = (id: string, where: string) => ({ id, name: id, state: 'Up', context: where, inStasis })
  const bridges = together ? [{ id: 'b', technology: 'simple_bridge', channels: ['other', 'caller'] }] : []
  return {
    channels: [channel('caller', context), { ...channel('other', 'from-destination'), inStasis: true }],
    bridges,
    own: own ? ['caller', 'other'] : ['other'],
  }
}

describe('where a caller is who was led to somebody else', () => {
  it.each([
    ['here, when the request has not been carried out', books('from-twilio', { inStasis: true }), true, 'here'],
    ['underway in the dialplan, although we are told of them', books('transferred'), true, 'underway'],
    ['underway before the dialplan has them', books('from-twilio'), true, 'underway'],
    ['joined, once both are in a bridge', books('transferred', { together: true }), true, 'joined'],
    ['underway on the way back', books('returned'), false, 'underway'],
    ['returned, with the name taken away by the dialplan', books('returned', { inStasis: true }), false, 'returned'],
    ['gone to the fallback', books('fallback'), false, 'gone'],
    ['gone, when another application has them', books('fallback', { inStasis: true, own: false }), true, 'gone'],
  ] as const)('%s', (_, found, named, where) => {
    expect(whereabouts(found, 'caller', 'other', named)).toBe(where)
  })

  it('gone, when there is no such channel', () => {
    expect(whereabouts({ channels: [], bridges: [], own: ['caller'] }, 'caller', 'other', true)).toBe('gone')
  })
})
