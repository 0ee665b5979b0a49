import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import type { StoreScope } from '../store/scope.ts'
import type { Store } from '../store/store.ts'
import { findToken, noteTokenUse, type StoredToken } from '../store/tokens.ts'

interface Known {
  /** Undefined: no token, or one that was revoked. */
  readonly scope: StoreScope | undefined
  readonly askedMs: number
}

/**
 * Whose token is whose. What the database says of one is believed for some seconds, so that a page that asks often does not
 * double its questions, and a revoked token ends by then on every node.
 */
export class TokenRegister {
  readonly #store: Pick<Store, 'ask'>
  readonly #clock: Clock
  readonly #known = new Map<string, Known>()
  #forgotten = 0

  constructor(store: Pick<Store, 'ask'>, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Rejects when the database cannot be asked: nobody comes in by not being known. */
  async scopeOf(digest: Buffer): Promise<StoreScope | undefined> {
    const key = digest.toString('base64')
    const known = this.#known.get(key)
    if (known && this.#clock.now() - known.askedMs < limits.http.tokenKnownMs) return known.scope
    // Before the question: an answer that was long on its way is old already.
    const askedMs = this.#clock.now()
    const forgotten = this.#forgotten
    const token = await this.#store.ask(db => findToken(db, 'all', digest))
    const scope = token && token.revoked_at === null ? scopeOfToken(token) : undefined
    if (forgotten === this.#forgotten) this.#keep(key, { scope, askedMs })
    if (token && scope !== undefined) this.#noteUse(token)
    return scope
  }

  /** On this node nothing is believed any longer that was known before, or asked before. */
  forget(): void {
    this.#forgotten += 1
    this.#known.clear()
  }

  #keep(key: string, known: Known): void {
    this.#known.delete(key)
    this.#known.set(key, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > limits.http.tokensKnown && oldest !== undefined) this.#known.delete(oldest)
  }

  #noteUse({ id, last_used_at }: StoredToken): void {
    const nowMs = this.#clock.wallMs()
    const unlessAfterMs = nowMs - limits.http.tokenUseMs
    if (last_used_at && last_used_at.getTime() > unlessAfterMs) return
    const times = { at: new Date(nowMs), unlessAfter: new Date(unlessAfterMs) }
    // Nobody is turned away because it could not be noted that they came.
    void this.#store.ask(db => noteTokenUse(db, 'all', id, times)).catch(() => {})
  }
}

function scopeOfToken({ business }: StoredToken): StoreScope {
  return business === null ? 'all' : { business }
}
