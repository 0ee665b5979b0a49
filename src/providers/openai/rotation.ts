import type { Clock } from '../../clock.ts'
import { limits } from '../../limits.ts'
import type { Connection } from './connection.ts'

interface RotationDependencies {
  readonly clock: Clock
  /** Nobody speaks, and nothing is being made. */
  readonly quiet: () => boolean
  readonly open: () => Promise<Connection>
  readonly replace: (next: Connection) => void
}

const { rotateMs } = limits.openai

/** A session has an end of its own: before it comes another takes over, unnoticed, at a quiet moment or at the latest. */
export class Rotation {
  readonly #with: RotationDependencies
  #connection: Connection | undefined
  #cancel = () => {}

  constructor(dependencies: RotationDependencies) {
    this.#with = dependencies
  }

  follow(connection: Connection): void {
    this.#connection = connection
    this.#lookAfter(connection.openedMs + rotateMs.first - this.#with.clock.now())
  }

  stop(): void {
    this.#connection = undefined
    this.#cancel()
  }

  #lookAfter(ms: number): void {
    this.#cancel()
    this.#cancel = this.#with.clock.after(Math.max(0, ms), () => void this.#look())
  }

  async #look(): Promise<void> {
    const { clock, quiet, open, replace } = this.#with
    const old = this.#connection
    if (!old) return
    const overdue = clock.now() >= old.openedMs + rotateMs.last
    if (quiet() || overdue) {
      const next = await open().catch(() => undefined)
      if (next && this.#connection === old && (quiet() || overdue)) return replace(next)
      next?.close()
    }
    if (this.#connection === old) this.#lookAfter(rotateMs.again)
  }
}
