import type { Resolve } from './exchange.ts'

/**
 * Each name once at a time, however many want it: the system has two places for such questions, which everything that
 * connects anywhere shares (https://docs.libuv.org/en/v1.x/threadpool.html), and holds one for many seconds where nobody
 * answers for a name.
 */
export function eachOnce(resolve: Resolve): Resolve {
  const asking = new Map<string, ReturnType<Resolve>>()
  return host => {
    const known = asking.get(host)
    if (known) return known
    const asked = resolve(host).finally(() => asking.delete(host))
    asking.set(host, asked)
    return asked
  }
}
