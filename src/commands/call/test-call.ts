import { type Call, type CallerDeps, placeCall, type CallFigures as RtpFigures } from '../../caller/call.ts'
import type { CallOptions } from '../../caller/invitation.ts'
import { asError } from '../../errors.ts'
import { SaidSide, wavOfCall } from './both-sides.ts'
import { converse, type Happening, type Phone, type Plan } from './conversation.ts'
import { Ear } from './ear.ts'

export interface TestCall {
  /** When the call began, on the clock of its happenings. */
  readonly beganMs: number
  readonly happenings: readonly Happening[]
  /** Undefined when there was no call. */
  readonly rtp: RtpFigures | undefined
  /** Both sides of it; undefined when nothing came of the other one. */
  readonly wav: (() => Uint8Array) | undefined
}

export interface TestCallOptions {
  readonly call: CallOptions
  readonly plan: Plan
  /** Hangs up. */
  readonly stopping: AbortSignal
  readonly tell?: (happening: Happening, beganMs: number) => void
}

/** One call from the INVITE to its end. Whatever becomes of it is told; it rejects for what the caller did wrong. */
export async function placeTestCall(deps: CallerDeps, options: TestCallOptions): Promise<TestCall> {
  const { clock } = deps
  const { plan, stopping } = options
  const happenings: Happening[] = []
  const beganMs = clock.now()
  const tell = (happening: Happening) => {
    happenings.push(happening)
    options.tell?.(happening, beganMs)
  }
  const placed = await placeCall(deps, options.call).catch(error => {
    // A call that cannot be is the caller's mistake; one that reaches nobody is an outcome.
    if (error instanceof TypeError || error instanceof RangeError) throw error
    tell({ kind: 'unanswered', atMs: clock.now(), status: undefined, reason: asError(error).message })
  })
  if (!placed) return { beganMs, happenings, rtp: undefined, wav: undefined }
  const [said, ear] = [new SaidSide(), new Ear()]
  placed.onSent(packet => said.sent(packet, clock.now()))
  placed.onFrame(frame => ear.write(frame))
  const hangUp = () => void placed.hangup()
  stopping.addEventListener('abort', hangUp)
  if (stopping.aborted) hangUp()
  try {
    await converse({ clock, tell }, phoneOf(placed, said), ear, plan)
  } finally {
    stopping.removeEventListener('abort', hangUp)
    placed.vanish()
  }
  const wav = () => wavOfCall({ sinceMs: beganMs, said, heard: placed.heard(), heardFromMs: ear.startMs })
  return { beganMs, happenings, rtp: placed.figures(), wav: ear.startMs === undefined ? undefined : wav }
}

function phoneOf(call: Call, said: SaidSide): Phone {
  return {
    answered: call.answered,
    ended: call.ended,
    play: samples => call.play(samples),
    digits: digits => call.digits(digits),
    hangup: () => call.hangup(),
    spokenUntilMs: () => said.untilMs,
  }
}
