import type { Business } from '../business.ts'
import type { TransferWish } from '../call/ports.ts'
import { limits } from '../limits.ts'
import { clearWish } from './clear-wishes.ts'

interface Turn {
  readonly text: string
  /** That were pressed in it. */
  readonly keys: string
}

/**
 * What a turn of the caller wants by itself, whatever a model makes of it; nothing where nobody can be reached. A key counts
 * when it is the only one of its turn: the same key in a number is a digit of it.
 */
export function transferWishes(
  business: Pick<Business, 'destinations' | 'transfers'>,
): ((turn: Turn) => TransferWish | undefined) | undefined {
  const { destinations, transfers } = business
  const names = destinations.map(({ name }) => name)
  const person = transfers.person ?? names[0]
  if (person === undefined) return undefined
  return ({ text, keys }) => {
    const byKey = transfers.keys?.[keys]
    if (byKey !== undefined) return { destination: byKey, by: 'key' }
    const wish = clearWish(text, names)
    return wish && { destination: wish.name ?? person, by: 'caller', reason: text.slice(0, limits.agent.reasonChars) }
  }
}
