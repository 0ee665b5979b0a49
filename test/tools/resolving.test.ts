import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { ResolvedAddress } from '../../src/tools/exchange.ts'
import { eachOnce } from '../../src/tools/resolving.ts'

describe('the names of servers', () => {
  it('are asked for once at a time, so that a dead one leaves room for others, and anew afterwards', async () => {
    const asked: string[] = []
    const waiting: PromiseWithResolvers<readonly ResolvedAddress[]>[] = []
    const resolve = eachOnce(host => {
      asked.push(host)
      waiting.push(Promise.withResolvers())
      return waiting.at(-1)!.promise
    })
    const dead = [resolve('dead.test'), resolve('dead.test'), resolve('dead.test')]
    const other = resolve('other.test')
    expect(asked).toEqual(['dead.test', 'other.test'])
    const found = [{ address: '192.0.2.1', family: 4 }]
    waiting[1]!.resolve(found)
    expect(await other).toBe(found)
    waiting[0]!.reject(new Error('nobody answers'))
    for (const each of dead) await expect(each).rejects.toThrow('nobody answers')
    const again = resolve('dead.test')
    waiting[2]!.resolve(found)
    expect([await again, asked]).toEqual([found, ['dead.test', 'other.test', 'dead.test']])
  })

  it('leave places for others, however many of them are dead', async () => {
    const waiting: PromiseWithResolvers<readonly ResolvedAddress[]>[] = []
    const resolve = eachOnce(() => {
      waiting.push(Promise.withResolvers())
      return waiting.at(-1)!.promise
    })
    const asked = Array.from({ length: 10 }, (_, i) => resolve(`dead-${i}.test`))
    expect(waiting).toHaveLength(limits.tools.namesAtOnce)
    for (let i = 0; i < 10; i++) {
      waiting[i]!.reject(new Error('nobody answers'))
      await expect(asked[i]).rejects.toThrow('nobody answers')
      expect(waiting).toHaveLength(Math.min(10, limits.tools.namesAtOnce + i + 1))
    }
  })
})
