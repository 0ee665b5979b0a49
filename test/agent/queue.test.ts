import { describe, expect, it } from 'vitest'
import { guarded, unlessAborted } from '../../src/agent/iterate.ts'
import { Queue } from '../../src/agent/queue.ts'
import { limits } from '../../src/limits.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

describe('a queue', () => {
  it('gives what was pushed, in order, also after its end', async () => {
    const queue = new Queue<number>()
    queue.push(1)
    queue.push(2)
    queue.end()
    queue.push(3)
    expect(await all(queue)).toEqual([1, 2])
  })

  it('wakes one who waits', async () => {
    const queue = new Queue<number>()
    const taken = all(queue)
    queue.push(1)
    await Promise.resolve()
    queue.push(2)
    queue.end()
    expect(await taken).toEqual([1, 2])
  })

  it('fails after what is in it', async () => {
    const queue = new Queue<number>()
    queue.push(1)
    queue.end(new Error('broken'))
    queue.end()
    const iterator = queue[Symbol.asyncIterator]()
    expect(await iterator.next()).toEqual({ done: false, value: 1 })
    await expect(iterator.next()).rejects.toThrow('broken')
  })

  it('fails instead of growing', async () => {
    const queue = new Queue<number>()
    for (let i = 0; i <= limits.agent.queued; i++) queue.push(i)
    await expect(all(queue)).rejects.toThrow('wait to be taken')
  })
})

describe('a guarded source', () => {
  it('is left when its signal aborts, and told so, even if it is stuck', async () => {
    let left = false
    const stuck: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => {
          left = true
          return { done: true, value: undefined }
        },
      }),
    }
    const leaving = new AbortController()
    const read = all(guarded(stuck, leaving.signal))
    leaving.abort(new Error('no more'))
    await expect(read).rejects.toThrow('no more')
    expect(left).toBe(true)
  })

  it('has so much time for each piece', async () => {
    const clock = new VirtualClock()
    const queue = new Queue<number>()
    const late = () => new Error('late')
    const read = all(guarded(queue, new AbortController().signal, { clock, ms: 100, late }))
    const failed = expect(read).rejects.toThrow('late')
    await clock.run(90)
    queue.push(1)
    await clock.run(90)
    queue.push(2)
    await clock.run(100)
    await failed
    expect(clock.pending).toBe(0)
  })

  it('leaves no listener at its signal', async () => {
    const { signal } = new AbortController()
    let listeners = 0
    const counting = Object.assign(Object.create(null), {
      aborted: false,
      addEventListener: () => listeners++,
      removeEventListener: () => listeners--,
    }) as AbortSignal
    await unlessAborted(Promise.resolve(1), counting)
    expect(listeners).toBe(0)
    await expect(unlessAborted(Promise.reject(new Error('own')), signal)).rejects.toThrow('own')
  })

  it('is not read at all when nobody wants it any more', async () => {
    await expect(unlessAborted(new Promise(() => {}), AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
  })
})
