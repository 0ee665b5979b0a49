import type { Dialled, DialledEvent, DialRequest, Leg, Line } from '../../src/call/ports.ts'

export const kinds = ['blind', 'blind with early sound', 'attended'] as const

export type Kind = (typeof kinds)[number]

export interface Surroundings {
  readonly request: DialRequest
  /** For a word with whoever answers. */
  readonly line: Line
  /** Brings it about that the far end is heard to do this, where that does not come by itself. */
  provoke(far: Dialled, event: DialledEvent['kind']): void
  /** Something has happened to the caller or to the far end. */
  change(): Promise<void>
  callerIsGone(): boolean
}

/** One transfer as the call core drives it; tells whether the caller is with the other one. */
export async function wholeTransfer(leg: Leg, kind: Kind, around: Surroundings): Promise<boolean> {
  const far = await leg.dial(around.request)
  const told: DialledEvent['kind'][] = []
  far.onEvent(event => told.push(event.kind))
  const hears = async (event: DialledEvent['kind']) => {
    around.provoke(far, event)
    while (!told.includes(event) && !told.includes('ended') && !around.callerIsGone()) await around.change()
    return told.includes(event) && !told.includes('ended') && !around.callerIsGone()
  }
  try {
    if (kind === 'blind with early sound') {
      if (!(await hears('ownSound'))) return false
      await leg.letHear(far)
    }
    if (!(await hears('answered'))) return false
    if (kind === 'attended') await far.consult(around.line)
    return (await leg.join(far)) === 'joined'
  } finally {
    await far.close()
  }
}
