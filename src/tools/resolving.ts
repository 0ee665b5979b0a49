import { limits } from '../limits.ts'
import type { Resolve } from './exchange.ts'

/**
 * Each name once at a time, however many want it, and few of them together: the system has eight places for such questions
 * (half of UV_THREADPOOL_SIZE, https://docs.libuv.org/en/v1.x/threadpool.html), which everything that connects anywhere
 * shares, and holds one for many seconds where nobody answers for a name.
 */
export function eachOnce(resolve: Resolve): Resolve {
  const asking = new Map<string, ReturnType<Resolve>>()
  const waiting: (() => void)[] = []
  let places: number = limits.tools.namesAtOnce
  const ask = async (host: string) => {
    if (places === 0) await new Promise<void>(resume => waiting.push(resume))
    else places -= 1
    try {
      return await resolve(host)
    } finally {
      const next = waiting.shift()
      if (next) next()
      else places += 1
      asking.delete(host)
    }
  }
  return host => {
    const known = asking.get(host)
    if (known) return known
    const asked = ask(host)
    asking.set(host, asked)
    return asked
  }
}
