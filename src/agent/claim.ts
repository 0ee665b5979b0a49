/** What the caller has said since the last reply, as far as it may be cause for one. */
export interface Claim {
  /** A voice is on: whatever it says belongs to the same turn. */
  readonly speaking: boolean
  /** The conversant has it whole. */
  readonly committed: boolean
  /** Media time at which the voice last began. */
  readonly startMs: number
  /** Of the longest voice in it. */
  readonly voicedMs: number
  /** At least one word of it has been understood. */
  readonly words: boolean
  /** Words for what began until then come after their answer. */
  readonly answeredMs: number
}

export const NO_CLAIM: Claim = {
  speaking: false,
  committed: false,
  startMs: Number.NEGATIVE_INFINITY,
  voicedMs: 0,
  words: false,
  answeredMs: Number.NEGATIVE_INFINITY,
}

type ClaimEvent =
  | { readonly kind: 'speechStarted' | 'speechStopped'; readonly atMs: number }
  | { readonly kind: 'committed' }
  | { readonly kind: 'words'; readonly text: string; readonly startMs: number }

export function claimAfter(claim: Claim, event: ClaimEvent): Claim {
  switch (event.kind) {
    case 'speechStarted':
      return { ...claim, speaking: true, startMs: event.atMs }
    case 'speechStopped':
      return { ...claim, speaking: false, voicedMs: Math.max(claim.voicedMs, event.atMs - claim.startMs) }
    case 'committed':
      return { ...claim, committed: true }
    case 'words':
      if (event.text.trim() === '' || event.startMs <= claim.answeredMs) return claim
      return { ...claim, words: true }
  }
}

/** A reply to all of it is on its way. */
export function answered({ startMs }: Claim): Claim {
  return { ...NO_CLAIM, startMs, answeredMs: startMs }
}

/**
 * Whether it wants a reply: the same measure that makes an interruption of a voice. A cough has too little of it, and no
 * word; a short yes waits for its word.
 */
export function isDue({ speaking, committed, voicedMs, words }: Claim, interruptMs: number): boolean {
  return committed && !speaking && (words || voicedMs >= interruptMs)
}
