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
  /** The call core waits for the far end no longer: it closes what was dialled, whatever is under way. */
  readonly timeIsOver?: Promise<void>
}

/** One transfer as the call core drives it; tells whether the caller is with the other one. */
export async function wholeTransfer(leg: Leg, kind: Kind, around: Surroundings): Promise<boolean> {
  const far = await leg.dial(around.request)
  const told: DialledEvent['kind'][] = []
  far.onEvent(event => told.push(event.kind))
  let over = false
  let joining = false
  void around.timeIsOver?.then(async () => {
    if (joining) return
    over = true
    await leg.letHear(undefined)
    await far.close()
  })
  const isOver = () => over || told.includes('ended') || around.callerIsGone()
  const hears = async (event: DialledEvent['kind']) => {
    around.provoke(far, event)
    while (!told.includes(event) && !isOver()) await around.change()
    return told.includes(event) && !isOver()
  }
  try {
    if (kind === 'blind with early sound') {
      if (!(await hears('ownSound'))) return false
      await leg.letHear(far)
    }
    if (!(await hears('answered'))) return false
    if (kind === 'attended') await far.consult(around.line)
    if (over) return false
    joining = true
    return (await leg.join(far)) === 'joined'
  } finally {
    await far.close()
  }
}
