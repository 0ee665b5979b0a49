import type { CallEvent } from '../../call/events.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import type { Caller, Forgetting, Forgotten } from '../../store/forgetting.ts'
import type { WantedJob } from '../../store/jobs.ts'
import type { DeleteSound, HousedSound } from '../deleting.ts'
import { deletionOf, forgettingOf } from '../wanted.ts'
import { type Handler, OfAnother } from '../working.ts'

export interface ForgetParts {
  /** This gateway, by its journal. */
  readonly home: string
  readonly asked: (id: string) => Promise<Forgetting | undefined>
  /** They are on the telephone, here or elsewhere. */
  readonly isLive: (caller: Caller) => Promise<boolean>
  /** That are still there. */
  readonly sounds: (caller: Caller) => Promise<readonly HousedSound[]>
  readonly deleteSound: DeleteSound
  readonly forgetSome: (caller: Caller & { readonly id: string; readonly at: Date }) => Promise<Forgotten>
  readonly isTold: (id: string) => Promise<boolean>
  readonly journals: () => Promise<readonly string[]>
  /** What was written until now: in the journal of this gateway, and in its memory. */
  readonly dropWritten: () => Promise<void>
  readonly want: (jobs: readonly WantedJob[]) => Promise<void>
  readonly tell: (event: CallEvent) => void
  /** What was told is on the disk, and in the record. */
  readonly kept: () => Promise<void>
  readonly clock: Clock
}

/**
 * Files first, then what stands in the tables, then the journals: whatever of it was cut off is gone through once more, until
 * nothing is left. What each gateway has on its own disk it takes away itself.
 */
export function forget(parts: ForgetParts): Handler {
  return async ({ business, subject }, signal) => {
    const { forgetting: id, at } = subject as { forgetting: string; at?: string }
    if (at !== undefined) {
      if (at !== parts.home) throw new OfAnother('It is the journal')
      return parts.dropWritten()
    }
    const asked = await parts.asked(id)
    if (!asked) return
    if (asked.number !== null) await forgetAll(parts, { id, business, number: asked.number }, signal)
    await tellOnce(parts, { id, business })
    const others = (await parts.journals()).filter(each => each !== parts.home)
    await parts.want(
      others.map(each => ({
        ...forgettingOf(id, business),
        key: `${id} ${each}`,
        subject: { forgetting: id, at: each },
      })),
    )
    await parts.dropWritten()
  }
}

async function forgetAll(
  parts: ForgetParts,
  caller: Caller & { readonly id: string },
  signal: AbortSignal,
): Promise<void> {
  const { isLive, sounds, deleteSound, forgetSome, home, want, clock } = parts
  if (await isLive(caller)) throw later('they are on the telephone')
  let left: Forgotten = 'more'
  while (left === 'more') {
    const there = await sounds(caller)
    const elsewhere = there.filter(sound => sound.home !== null && sound.home !== home)
    await want(elsewhere.map(sound => deletionOf(sound, 'request')))
    for (const sound of there.filter(each => !elsewhere.includes(each))) {
      signal.throwIfAborted()
      await deleteSound(sound, 'request')
    }
    if (elsewhere.length > 0) throw later('another gateway has sounds of theirs, and is to delete them')
    left = await forgetSome({ ...caller, at: new Date(clock.wallMs()) })
  }
  if (left === 'busy') throw later('something is being done with what they have left')
}

function later(why: string): GatewayError {
  return new GatewayError('TOOL_FAILED', `It is tried again: ${why}.`, { retryable: true })
}

/** That it was done, and not for whom. */
async function tellOnce(
  { asked, isTold, tell, kept, clock }: ForgetParts,
  { id, business }: { readonly id: string; readonly business: string },
): Promise<void> {
  if (await isTold(id)) return
  const { calls = 0, files = 0 } = (await asked(id)) ?? {}
  tell({ call: id, business, atMs: clock.wallMs(), fact: { name: 'callerForgotten', calls, files } })
  await kept()
}
