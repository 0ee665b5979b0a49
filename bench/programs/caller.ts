import { type Call, type CallerDeps, placeCall } from '../../src/caller/call.ts'
import { Connection } from '../../src/caller/connection.ts'
import { pause, systemClock } from '../../src/clock.ts'
import { Wheel } from '../../src/media/wheel.ts'
import { RECORD_PARAMETER, RECORDED_PARAMETER, REPLY_PARAMETER } from '../conversation/replying.ts'
import type { StreamFigures } from '../conversation/stream.ts'
import { type Caller, Talker, type TalkFigures } from '../conversation/talker.ts'
import { TRANSFER_PARAMETER } from '../conversation/transferring.ts'
import { type Manner, type TurnFigures, TurnTaker } from '../conversation/turn-taker.ts'
import { EchoProbe } from '../house/echo-probe.ts'
import { monotonicMs } from '../house/monotonic.ts'
import { answer } from '../house/requests.ts'
import { beTransferred, openPhone, type Transferred } from './transferred.ts'

/** Everyone who calls, in a process of its own: real SIP, real RTP. */

export interface Dialling {
  readonly sipPort: number
  readonly replyMs: number
  /** Every so-manieth reply is told as a turn of the conversation. */
  readonly toldEach?: number | undefined
  readonly recorded?: boolean | undefined
  /** A destination to which each is transferred who clicks. */
  readonly destination?: string
}

export interface Conversation extends TalkFigures {
  readonly echoMs: readonly number[]
}

/** Times are of the machine's monotonic clock. */
export interface Turns extends TurnFigures {
  readonly echoMs: readonly number[]
}

export interface ShortCalls {
  /** From an INVITE leaving to its 200 arriving. */
  readonly setUpMs: number[]
  readonly callerLateMs: number[]
  readonly echoMs: number[]
  readonly failures: string[]
}

/** The answer to the last click. */
const LAST_REPLY_MS = 500

const deps: CallerDeps = { clock: systemClock, wheel: new Wheel(systemClock), random: Math.random }
/** One for all calls, as a trunk has it. */
let connection: Connection | undefined
const calls: { readonly call: Call; readonly law: 'ulaw' | 'alaw'; readonly recorded: boolean }[] = []

const requests = { open, converse, takeTurns, hangUp, placeShortCalls, placeTransferredCalls }
export type CallerRequests = typeof requests
answer(requests)

/** One call after the other, until so many are up. */
async function open({ count, everyMs, ...dialling }: Dialling & { count: number; everyMs: number }): Promise<void> {
  const opened = Array.from({ length: count }, async (_, index) => {
    await pause(systemClock, index * everyMs)
    calls.push(await dial(dialling))
  })
  await Promise.all(opened)
}

async function dial({ sipPort, replyMs, toldEach, destination, recorded = false }: Dialling) {
  connection ??= new Connection({ target: { address: '127.0.0.1', port: sipPort }, transport: 'tcp' })
  const call = await placeCall(deps, {
    target: connection.target,
    transport: 'tcp',
    user: 'bianca',
    parameters: {
      [REPLY_PARAMETER]: String(replyMs),
      ...(toldEach && { [RECORD_PARAMETER]: String(toldEach) }),
      ...(recorded && { [RECORDED_PARAMETER]: 'yes' }),
      ...(destination && { [TRANSFER_PARAMETER]: destination }),
    },
    connection,
  })
  const answered = await call.answered
  if (answered.kind !== 'answered') throw new Error(`a call was not answered: ${JSON.stringify(answered)}`)
  return { call, recorded, law: answered.audio.laws[0]!.law, setUpMs: answered.setUpMs }
}

/** All calls that are up, or of these the recorded ones or the others, click for so long. */
async function converse(asked: { seconds: number; clickMs: number; echoPort: number; recorded?: boolean }) {
  const { seconds, clickMs, echoPort } = asked
  const echo = new EchoProbe(echoPort)
  const all = calls.filter(({ recorded }) => asked.recorded === undefined || recorded === asked.recorded)
  const talkers = all.map(({ call, law }) => new Talker(deps, callerOf(call), law))
  for (const talker of talkers) talker.click(clickMs)
  await pause(systemClock, seconds * 1_000)
  for (const talker of talkers) talker.stopClicking()
  await pause(systemClock, LAST_REPLY_MS)
  return together(
    talkers.map(talker => talker.finish()),
    echo.stop(),
  )
}

let utterances = 0

/** All calls that are up are in a conversation for so long; it need not begin or end with a whole turn. */
async function takeTurns({ seconds, manner, echoPort }: { seconds: number; manner: Manner; echoPort: number }) {
  const echo = new EchoProbe(echoPort)
  const nextMark = () => ++utterances
  const takers = calls.map(({ call, law }) => new TurnTaker({ ...deps, nextMark }, callerOf(call), law, manner))
  await pause(systemClock, seconds * 1_000)
  const figures = takers.map(taker => taker.finish())
  const aheadMs = monotonicMs() - systemClock.now()
  const turns = figures
    .flatMap(each => each.turns)
    .map(turn => ({
      ...turn,
      sentMs: turn.sentMs + aheadMs,
      heardMs: turn.heardMs + aheadMs,
      cutMs: turn.cutMs && turn.cutMs + aheadMs,
    }))
  return { ...streams(figures), turns, echoMs: echo.stop() } satisfies Turns
}

function callerOf(call: Call): Caller {
  return {
    play: samples => call.play(samples),
    onSent: listener => call.onSent(listener),
    onFrame: listener => call.onFrame(listener),
    sendLateMs: () => call.figures().sent.lateMs.values,
  }
}

function together(figures: readonly TalkFigures[], echoMs: readonly number[]): Conversation {
  return { ...streams(figures), pathMs: figures.flatMap(each => each.pathMs), echoMs }
}

type Streams = StreamFigures & Pick<TalkFigures, 'callerLateMs' | 'unanswered'>

function streams(figures: readonly Streams[]): Streams {
  const sum = (name: 'packets' | 'missing' | 'unanswered') => figures.reduce((total, each) => total + each[name], 0)
  return {
    spacingMs: figures.flatMap(each => each.spacingMs),
    callerLateMs: figures.flatMap(each => each.callerLateMs),
    packets: sum('packets'),
    missing: sum('missing'),
    unanswered: sum('unanswered'),
  }
}

async function hangUp(): Promise<void> {
  await Promise.all(calls.splice(0).map(({ call }) => call.hangup()))
}

/** So many calls, never more than `atOnce` of them up: each is answered, hears something, and hangs up. They begin within a second. */
async function placeShortCalls(options: Dialling & { count: number; atOnce: number; echoPort: number }) {
  const echo = new EchoProbe(options.echoPort)
  const figures: ShortCalls = { setUpMs: [], callerLateMs: [], echoMs: [], failures: [] }
  let placed = 0
  const oneAfterTheOther = async () => {
    await pause(systemClock, 1_000 * deps.random())
    while (placed++ < options.count) {
      await placeShortCall(options, figures).catch(error => figures.failures.push(String(error)))
    }
  }
  await Promise.all(Array.from({ length: options.atOnce }, oneAfterTheOther))
  return { ...figures, echoMs: echo.stop() }
}

async function placeShortCall(dialling: Dialling, figures: ShortCalls): Promise<void> {
  const { call, setUpMs } = await dial(dialling)
  figures.setUpMs.push(setUpMs)
  await pause(systemClock, 500 * (1 + deps.random()))
  const { sent, received } = call.figures()
  if (received.packets === 0) figures.failures.push('a caller heard nothing')
  figures.callerLateMs.push(...sent.lateMs.values)
  await call.hangup()
}

/** So many calls, never more than `atOnce` of them up: each is transferred to a telephone that is busy in the end, and hangs up. */
async function placeTransferredCalls({
  count,
  atOnce,
  phonePort,
  echoPort,
  ...dialling
}: Dialling & { count: number; atOnce: number; phonePort: number; echoPort: number }) {
  const echo = new EchoProbe(echoPort)
  const figures: Transferred = { gapsMs: [], callerLateMs: [], failures: [] }
  await using _phone = await openPhone(deps, phonePort)
  let placed = 0
  const oneAfterTheOther = async () => {
    while (placed++ < count) {
      const { call } = await dial(dialling)
      await beTransferred(deps, call, figures)
      await call.hangup()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther))
  return { ...figures, echoMs: echo.stop() }
}
