import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { limits } from '../../src/limits.ts'
import { type Member, Wheel } from '../../src/media/wheel.ts'
import { BusyClock } from '../support/busy-clock.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

interface Ticked {
  readonly atMs: number
  readonly dueMs: number
  readonly skipped: number
}

function wheelOn(clock: Clock) {
  const wheel = new Wheel(clock)
  const add = () => {
    const ticks: Ticked[] = []
    const member = wheel.add((dueMs, skipped) => void ticks.push({ atMs: clock.now(), dueMs, skipped }))
    return { ...member, ticks }
  }
  return { wheel, add }
}

const times = (ticks: readonly Ticked[]) => ticks.map(tick => tick.atMs)
const gaps = (ticks: readonly Ticked[]) => ticks.slice(1).map((tick, index) => tick.atMs - ticks[index]!.atMs)

describe('the wheel', () => {
  it('ticks each member every 20 ms', () => {
    const clock = new VirtualClock()
    const { add } = wheelOn(clock)
    clock.advance(7)
    const one = add()
    clock.advance(5)
    const other = add()
    clock.advance(100)
    expect(times(one.ticks)).toEqual([8, 28, 48, 68, 88, 108])
    expect(times(other.ticks)).toEqual([12, 32, 52, 72, 92, 112])
    expect(one.ticks.every(tick => tick.dueMs === tick.atMs && tick.skipped === 0)).toBe(true)
  })

  it('does not drift when every timer fires late', () => {
    const clock = new BusyClock()
    const { add } = wheelOn(clock)
    const { ticks } = add()
    clock.lateMs = 1.3
    clock.inner.advance(20_000)
    expect(ticks).toHaveLength(1_001)
    expect(ticks.at(-1)).toEqual({ dueMs: 20_000, atMs: 20_000, skipped: 0 })
    expect(ticks.slice(1).every((tick, index) => tick.dueMs - ticks[index]!.dueMs === 20)).toBe(true)
  })

  it('takes a timer that fires a little early as on time, and waits on when it is too early', () => {
    const clock = new BusyClock()
    const { add } = wheelOn(clock)
    clock.inner.advance(1)
    const { ticks } = add()
    clock.lateMs = -0.4
    clock.inner.advance(1)
    expect(times(ticks)).toEqual([1.6])
    clock.lateMs = -1.4
    clock.inner.advance(21)
    expect(ticks).toHaveLength(1)
    clock.inner.advance(1)
    expect(ticks.slice(1)).toEqual([{ dueMs: 22, atMs: 22, skipped: 0 }])
  })

  it('is not made early by another that joins between two ticks', () => {
    const clock = new VirtualClock()
    const { add } = wheelOn(clock)
    const { ticks } = add()
    clock.advance(19.6)
    add()
    clock.advance(20)
    expect(times(ticks)).toEqual([0, 20])
  })

  it('spreads its members over ten slots and fills the one that was left', () => {
    const clock = new VirtualClock()
    const { add } = wheelOn(clock)
    const members = Array.from({ length: 20 }, add)
    clock.advance(18)
    const firsts = members.map(member => member.ticks[0]!.dueMs)
    expect(firsts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => 2 * Math.floor(i / 2)))
    members[13]!.remove()
    const next = add()
    clock.advance(20)
    expect(next.ticks[0]!.dueMs % 20).toBe(firsts[13])
  })

  it('has one timer while it has members, none otherwise, and wakes only for turns that have some', () => {
    const clock = new BusyClock()
    const { wheel, add } = wheelOn(clock)
    expect(clock.inner.pending).toBe(0)
    const members = [add(), add(), add()]
    clock.inner.advance(500)
    expect(clock.inner.pending).toBe(1)
    for (const member of members.slice(1)) member.remove()
    clock.timersSet = 0
    clock.inner.advance(1_000)
    expect(clock.timersSet).toBe(50)
    members[0]!.remove()
    members[0]!.remove()
    expect(wheel.memberCount).toBe(0)
    expect(clock.inner.pending).toBe(0)
    clock.inner.advance(1_003)
    const late = add()
    clock.inner.advance(30)
    expect(times(late.ticks)).toEqual([2504, 2524])
    expect(late.ticks[0]!.skipped).toBe(0)
  })

  it('lets members come and go within a tick, the last one included', () => {
    const clock = new VirtualClock()
    const wheel = new Wheel(clock)
    const log: string[] = []
    let second: Member | undefined
    const first = wheel.add(dueMs => {
      log.push(`first ${dueMs}`)
      first.remove()
      second?.remove()
      const third = wheel.add(due => {
        log.push(`third ${due}`)
        third.remove()
      })
    })
    second = wheel.add(dueMs => log.push(`second ${dueMs}`))
    clock.advance(100)
    expect(log).toEqual(['first 0', 'third 2'])
    expect(wheel.memberCount).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

describe('a member that moves to now', () => {
  it('ticks at once and every 20 ms from then on', () => {
    const clock = new VirtualClock()
    const { add } = wheelOn(clock)
    const { ticks, moveToNow } = add()
    clock.advance(26)
    moveToNow()
    expect(times(ticks)).toEqual([0, 20, 26])
    clock.advance(100)
    expect(gaps(ticks)).toEqual([20, 6, 20, 20, 20, 20, 20])
  })

  it('takes the turn that is nearest', () => {
    const clock = new VirtualClock()
    const { add } = wheelOn(clock)
    const { ticks, moveToNow } = add()
    const { ticks: otherTicks, moveToNow: moveOther } = add()
    clock.advance(26.9)
    moveToNow()
    clock.advance(0.2)
    moveOther()
    clock.advance(22.9)
    expect(times(ticks).slice(2)).toEqual([26.9, 46])
    expect(otherTicks.slice(2).map(tick => tick.dueMs)).toEqual([28, 48])
  })

  it('runs ahead by 20 ms at most, and then ticks as soon as it may', () => {
    const clock = new VirtualClock()
    const { add } = wheelOn(clock)
    const { ticks, moveToNow } = add()
    clock.advance(4)
    moveToNow() // Due at 20: 16 ms ahead.
    clock.advance(4)
    moveToNow() // Due at 24: 4 ms are left.
    expect(times(ticks)).toEqual([0, 4])
    clock.advance(100)
    expect(times(ticks)).toEqual([0, 4, 20, 40, 60, 80, 100])
    moveToNow()
    expect(ticks).toHaveLength(7)
  })

  it('pays its lead back by 2 ms a tick, until it is in its own rhythm again', () => {
    const clock = new VirtualClock()
    const wheel = new Wheel(clock)
    const at: number[] = []
    const member = wheel.add(dueMs => {
      at.push(dueMs)
      member.payBack()
    })
    clock.advance(14)
    member.moveToNow()
    clock.advance(120)
    expect(at).toEqual([0, 14, 36, 58, 80, 100, 120])
  })

  it('does nothing once it was removed', () => {
    const clock = new VirtualClock()
    const { wheel, add } = wheelOn(clock)
    const { ticks, moveToNow, payBack, remove } = add()
    clock.advance(5)
    moveToNow()
    remove()
    moveToNow()
    payBack()
    clock.advance(100)
    expect(ticks).toHaveLength(2)
    expect(wheel.memberCount).toBe(0)
  })
})

describe('after a stall', () => {
  it('runs overdue turns in order, as far back as its bound', () => {
    const clock = new BusyClock()
    const { add } = wheelOn(clock)
    const members = [add(), add()]
    clock.inner.advance(10)
    clock.lateMs = 60
    clock.inner.advance(10)
    for (const [index, { ticks }] of members.entries()) {
      expect(ticks.map(tick => tick.dueMs)).toEqual(
        [0, 20, 40, 60, 80].map(ms => ms + 2 * index).filter(ms => ms <= 80),
      )
      expect(ticks.every(tick => tick.skipped === 0)).toBe(true)
    }
  })

  it('leaves out what is older than the bound, tells each member how much, and keeps the rhythm', () => {
    const clock = new BusyClock()
    const { add } = wheelOn(clock)
    const { ticks } = add()
    clock.inner.advance(10)
    clock.lateMs = 5_000
    clock.inner.advance(10)
    const afterStall = ticks.slice(1)
    expect(afterStall).toHaveLength(limits.media.catchUpMs / 20 + 1)
    expect(afterStall[0]).toMatchObject({ dueMs: 5_020 - limits.media.catchUpMs, atMs: 5_020 })
    // Ticks that ran and ticks that were told about make up all of the time.
    expect(ticks.reduce((sum, tick) => sum + 1 + tick.skipped, 0)).toBe(5_020 / 20 + 1)
    clock.lateMs = 5_000
    clock.inner.advance(40)
    expect(gaps(ticks).slice(-2)).toEqual([20, 20])
  })
})

describe('whatever happens', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 45 }) }) },
    fc.record({ do: fc.constant('stall' as const), ms: fc.integer({ min: 0, max: 400 }) }),
    fc.record({ do: fc.constantFrom('add', 'remove', 'move', 'pay'), who: fc.nat({ max: 5 }) }),
  )

  it('no member loses or gains a tick, or leaves the 20 ms before its own rhythm', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), steps => {
        const clock = new BusyClock()
        const { wheel, add } = wheelOn(clock)
        const members: (ReturnType<typeof add> & { gone?: number })[] = []
        for (const each of steps) {
          if (each.do === 'advance') clock.inner.advance(each.ms)
          else if (each.do === 'stall') clock.lateMs += each.ms
          else if (each.do === 'add') members.push(add())
          else {
            const member = members[each.who]
            if (each.do === 'move') member?.moveToNow()
            if (each.do === 'pay') member?.payBack()
            if (each.do === 'remove' && member) {
              member.remove()
              member.gone ??= member.ticks.length
            }
          }
        }
        clock.inner.advance(20)
        for (const { ticks, gone } of members) {
          let passed = 0
          for (const tick of ticks) {
            passed += tick.skipped
            const ownDueMs = ticks[0]!.dueMs + (passed - ticks[0]!.skipped) * 20
            const leadMs = ownDueMs - tick.dueMs
            // The first tick may itself have been brought forward, so both bounds are 20 ms wide.
            expect(Math.abs(leadMs)).toBeLessThanOrEqual(20)
            expect(tick.atMs).toBeGreaterThanOrEqual(tick.dueMs - 1)
            passed += 1
          }
          if (gone === undefined) expect(clock.now() - ticks.at(-1)!.dueMs).toBeLessThan(24)
          else expect(ticks).toHaveLength(gone)
        }
        const there = members.filter(member => member.gone === undefined)
        expect(wheel.memberCount).toBe(there.length)
        expect(clock.inner.pending).toBe(there.length > 0 ? 1 : 0)
      }),
      { numRuns: 200, seed: 7 },
    )
  })
})
