import { describe, expect, it } from 'vitest'
import { simulate } from './simulate.ts'

const CALLS = 100

describe('whole calls in virtual time', () => {
  for (const seed of [3, 5, 8, 9, 10]) {
    it(`goes well for ${CALLS} random calls of seed ${seed}`, { timeout: 60_000 }, async () => {
      const { problems, figures } = await simulate(seed, CALLS)
      expect(problems).toEqual([])
      // Something of everything has happened.
      for (const name of [
        'refused',
        'answered',
        'takenOver',
        'agentSpoke',
        'callerSpoke',
        'agentInterrupted',
        'handedBack',
        'degraded',
        'transferRang',
        'transferAnswered',
        'transferEnded',
        'returned',
      ]) {
        expect(figures).toHaveProperty(name)
      }
      expect(figures['offered']).toBe(figures['ended'])
      expect(figures['transferBegan']).toBe(figures['transferEnded'])
    })
  }

  it('tells the same story to the byte when the seed is the same, and another one when it is not', {
    timeout: 60_000,
  }, async () => {
    const [one, again, other] = [await simulate(6, 30), await simulate(6, 30), await simulate(7, 30)]
    expect(one.log.length).toBeGreaterThan(300)
    expect(again.log.join('\n')).toBe(one.log.join('\n'))
    expect(other.log.join('\n')).not.toBe(one.log.join('\n'))
  })
})
