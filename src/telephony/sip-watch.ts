import { type Clock, pause } from '../clock.ts'
import { limits } from '../limits.ts'
import type { Scope } from '../scope.ts'

export interface SipWatchOptions {
  readonly clock: Clock
  readonly scope: Scope
  /** One look at our own SIP port, over a connection of its own; never rejects. */
  readonly look: () => Promise<boolean>
  readonly changed: (answered: boolean) => void
}

/** Knows whether SIP is answered: an Asterisk that answers on ARI may have no connection left for a caller. */
export class SipWatch {
  #judged: Judged = { answered: true, contrary: 0 }

  constructor({ clock, scope, look, changed }: SipWatchOptions) {
    const run = async () => {
      for (;;) {
        await pause(clock, limits.asterisk.sipWatch.everyMs, scope.signal)
        const before = this.#judged.answered
        this.#judged = judge(this.#judged, await look())
        if (this.#judged.answered !== before && !scope.closed) changed(!before)
      }
    }
    // It ends with its scope.
    void run().catch(() => {})
  }

  get answered(): boolean {
    return this.#judged.answered
  }
}

interface Judged {
  readonly answered: boolean
  /** Looks in a row that said otherwise. */
  readonly contrary: number
}

/** Where the last connections come and go, looks differ: only several alike in a row change what is said. */
function judge({ answered, contrary }: Judged, seen: boolean): Judged {
  if (seen === answered) return { answered, contrary: 0 }
  if (contrary + 1 < limits.asterisk.sipWatch.inARow) return { answered, contrary: contrary + 1 }
  return { answered: seen, contrary: 0 }
}
