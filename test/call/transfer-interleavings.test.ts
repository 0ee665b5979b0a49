import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { TransferOutcome } from '../../src/call/events.ts'
import type { DialledEvent, Joined } from '../../src/call/ports.ts'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { seeded } from '../support/random.ts'
import { stage } from './transferring.ts'

/** Whatever the two ends, an operator and the PBX do, in whatever order and however slowly. */
type Happening =
  | { readonly kind: 'far'; readonly event: DialledEvent }
  | { readonly kind: 'callerGone' | 'operator' | 'drain' | 'cancel' | 'lineFails' | 'returned' | 'transfer' }
  | { readonly kind: 'briefed'; readonly answer: 'accepted' | 'declined' }
  | { readonly kind: 'fails'; readonly operation: 'dial' | 'letHear' | 'consult' | 'join' | 'connect' }
  | { readonly kind: 'joins'; readonly result: Joined }

const far = (event: DialledEvent): Happening => ({ kind: 'far', event })
const ended = (['busy', 'noAnswer', 'rejected', 'unreachable', 'hungUp'] as const).map(why =>
  far({ kind: 'ended', why, cause: why }),
)
const likely: readonly Happening[] = [
  ...[far({ kind: 'ringing' }), far({ kind: 'ownSound' }), far({ kind: 'answered' })],
  ...[{ kind: 'briefed', answer: 'accepted' } as const, { kind: 'transfer' } as const],
]
const rare: readonly Happening[] = [
  ...ended,
  far({ kind: 'digit', digit: '1', heldMs: 80 }),
  { kind: 'briefed', answer: 'declined' },
  ...(['callerGone', 'operator', 'drain', 'cancel', 'lineFails', 'returned'] as const).map(kind => ({ kind }) as const),
  ...(['dial', 'letHear', 'consult', 'join', 'connect'] as const).map(
    operation => ({ kind: 'fails', operation }) as const,
  ),
  ...(['callerGone', 'otherGone'] as const).map(result => ({ kind: 'joins', result }) as const),
]
const happening = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...likely) }, fc.constantFrom(...rare))
const laterMs = fc.oneof({ weight: 5, arbitrary: fc.nat(400) }, fc.nat(40_000))

async function play(seed: number, mode: 'blind' | 'attended', story: readonly (readonly [Happening, number])[]) {
  const at = stage({ rtp: { start: 10_000, end: 10_005 } })
  const { leg, clock, exchange, failLine } = at
  const random = seeded(seed)
  leg.took = () => new Promise(resolve => void clock.after(Math.floor(random() * 300), resolve))
  await at.offer(leg)
  let back = new AbortController()
  const begin = () => {
    back = new AbortController()
    void at.transfer({ mode }, back.signal)
  }
  begin()
  for (const [what, ms] of story) {
    await clock.run(ms)
    switch (what.kind) {
      case 'far':
        leg.dialled.at(-1)?.happen(what.event)
        break
      case 'callerGone':
        leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
        break
      case 'returned':
        leg.happen({ kind: 'returned' })
        break
      case 'operator':
      case 'drain':
        exchange.find('c1')?.hangUp(what.kind)
        break
      case 'cancel':
        back.abort()
        break
      case 'lineFails':
        await failLine('no socket')
        break
      case 'transfer':
        begin()
        break
      case 'briefed':
        at.decide(what.answer)
        break
      case 'fails':
        leg.failing.set(what.operation, new GatewayError('ARI_TIMEOUT', 'No reply.'))
        break
      case 'joins':
        leg.joins = what.result
    }
    await clock.settle()
    if (exchange.find('c1')?.state === 'connected') expect(at.lines.size).toBeLessThanOrEqual(1)
  }
  leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
  await clock.run(limits.call.transferringMs)
  return at
}

it('whatever happens in whatever order: every attempt is told once, nobody is dialled twice at a time, and nothing is left', async () => {
  const outcomes = new Set<TransferOutcome>()
  const stories = fc.array(fc.tuple(happening, laterMs), { maxLength: 14 })
  const property = fc.asyncProperty(
    fc.nat(),
    fc.constantFrom('blind' as const, 'attended' as const),
    stories,
    async (seed, mode, story) => {
      const at = await play(seed, mode, story)
      at.nothingIsLeft()
      expect(at.leg.dialled.every(({ closed, joined }) => closed || joined)).toBe(true)
      const facts = at.factsOf('c1')
      expect(facts.at(-1)?.name).toBe('ended')
      let open: number | undefined
      for (const fact of facts) {
        if (fact.name === 'transferBegan') {
          expect(open).toBeUndefined()
          open = fact.attempt
        } else if ('attempt' in fact) {
          expect(fact.attempt).toBe(open)
          if (fact.name === 'transferEnded') {
            outcomes.add(fact.outcome)
            open = undefined
          }
        }
      }
      expect(open).toBeUndefined()
      const recorded = facts.flatMap(fact => (fact.name === 'transferEnded' ? [fact.outcome] : []))
      // Refused ones, of which there is no attempt, have failed, too; nothing is told after the caller is gone.
      const told = at.outcomes.filter(outcome => outcome !== 'failed' && outcome !== 'callerGone')
      expect(told).toEqual(recorded.filter(outcome => outcome !== 'failed' && outcome !== 'callerGone'))
    },
  )
  await fc.assert(property, { seed: 6, numRuns: 300 })
  // The stories have led everywhere but where there is no port: another test has that.
  const everywhere = ['busy', 'callerGone', 'cancelled', 'connected', 'declined', 'failed', 'noAnswer', 'rejected']
  expect([...outcomes].sort()).toEqual([...everywhere, 'unreachable'])
})
