import { describe, expect, it } from 'vitest'
import { machineTicks, processTicks } from '../../../bench/house/processors.ts'

describe('what the kernel tells', () => {
  it('of a process: its own time in user and kernel mode, whatever its name', () => {
    const rest = 'S 1 10 10 0 -1 4194560 100 0 0 0 250 50 7 9 20 0 12 0 3000 1000 20'
    expect(processTicks(`10 (node) ${rest}`)).toBe(300)
    expect(processTicks(`10 (a ) b (c) ${rest}`)).toBe(300)
  })

  it('of the machine: busy, stolen, and all of it', () => {
    const stat = 'cpu  100 10 40 800 20 0 5 25 7 3\ncpu0 1 2 3 4 5 6 7 8 9 10\n'
    expect(machineTicks(stat)).toEqual({ busy: 155, stolen: 25, all: 1_000 })
  })
})
