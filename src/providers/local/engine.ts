import { degraded, heardOfAgent } from '../../agent/facts.ts'
import { todayAt } from '../../agent/hours.ts'
import { unlessAborted } from '../../agent/iterate.ts'
import { pipelineAgent } from '../../agent/pipeline.ts'
import type { Speaker } from '../../agent/ports.ts'
import { type AgentSettings, defaultSettings } from '../../agent/settings.ts'
import { Speech } from '../../agent/speech.ts'
import { Voice } from '../../agent/voice.ts'
import { insteadOfEngine, withoutEngine } from '../../agent/without-engine.ts'
import type { Business } from '../../business.ts'
import type { Handler, LiveCall, Outcome } from '../../call/ports.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Scope } from '../../scope.ts'
import { Hearing } from './hearing.ts'
import type { Search } from './listening.ts'
import { Understanding } from './meaning.ts'
import { dialogueModel } from './model.ts'
import { RecognizerPool, type Seat } from './pool.ts'
import type { SpeechPrograms } from './programs.ts'
import { fliteSpeaker } from './speaker.ts'
import { localTools } from './tools.ts'

/** What becomes of a call beyond the bound: a sentence and somebody else, or 503 before it is answered. */
export const busyWays = ['sentence', 'refuse'] as const
type BusyWay = (typeof busyWays)[number]

export interface LocalEngineOptions {
  readonly clock: Clock
  readonly programs: SpeechPrograms
  /** Calls at once. */
  readonly calls: number
  readonly busy: BusyWay
}

export interface LocalEngine {
  readonly handler: Handler
  /** Calls that are listened to. */
  readonly taken: number
  readonly speaker: Speaker
  /** Starts what the first call will need. */
  prewarm(business: Business): Promise<void>
  close(): Promise<void>
}

/** It hears the end of a turn by the silence that ends a stretch of speech, so what it calls final waits for nothing more. */
const settings: AgentSettings = {
  ...defaultSettings,
  turn: { ...defaultSettings.turn, completeMs: 100, endOfTurnMs: 2_500, wordsMs: 6_000 },
}

const INTRODUCTION = 'This is the built-in demo engine.'
const BUSY = 'I am sorry, the built-in demo engine has as many calls as it can take. One moment please.'

/** The engine without a vendor and without a network: flite speaks, pocketsphinx recognizes, a small policy decides. */
export function localEngine({ clock, programs, calls, busy }: LocalEngineOptions): LocalEngine {
  const pool = new RecognizerPool({ programs, clock, seats: calls })
  const speaker = fliteSpeaker(programs.speaker, clock)
  return {
    speaker,
    async handler(call, scope) {
      const seat = pool.sit(call.business)
      if (seat) return converseIn(seat, { call, scope, clock, speaker })
      call.emit({ name: 'degraded', code: 'CAPACITY', detail: `All ${calls} places of the local engine are taken.` })
      return busy === 'refuse' ? { kind: 'refuse' } : sayBusy({ call, scope, clock, speaker })
    },
    get taken() {
      return pool.taken
    },
    prewarm: business => pool.prewarm(business),
    close: () => pool.close(),
  }
}

interface OneCall {
  readonly call: LiveCall
  readonly scope: Scope
  readonly clock: Clock
  readonly speaker: Speaker
}

async function converseIn(seat: Seat, { call, scope, clock, speaker }: OneCall): Promise<Outcome> {
  scope.onClose(() => seat.leave())
  const { business } = call
  const hearing = new Hearing(seat)
  try {
    // Before it is answered: a caller whom nobody can hear is better off elsewhere.
    await unlessAborted(hearing.listenFor('grammar'), scope.signal)
  } catch (error) {
    scope.signal.throwIfAborted()
    call.emit(degraded(error))
    return withoutEngine(call, scope, clock)
  }
  const understanding = new Understanding(business)
  const about = () => ({ business, today: todayAt(clock.wallMs(), business.timeZone) })
  const listenFor = (kind: Search['kind']) => void hearing.listenFor(kind).catch(() => {})
  const model = dialogueModel({ understanding, about, listenFor })
  const agent = pipelineAgent({ recognizer: hearing, model, speaker, tools: localTools, settings, clock })
  return agent(introduced(call), scope)
}

/** It never passes for more than it is. */
function introduced(call: LiveCall): LiveCall {
  const { greeting, outbound } = call.business
  const first = (call.outbound ? outbound.greeting : undefined) ?? greeting
  const said = `${INTRODUCTION} ${first}`
  return { ...call, business: { ...call.business, greeting: said, outbound: { ...outbound, greeting: said } } }
}

/** The caller hears why, and then whoever the business or the dialplan's fallback has for them. */
async function sayBusy({ call, scope, clock, speaker }: OneCall): Promise<Outcome> {
  const spoken = Promise.withResolvers<void>()
  const speech = new Speech(call.line, clock, {
    started: () => {},
    heard: (_, heard) => call.emit(heardOfAgent(heard)),
    overflowed: () => {},
    quiet: () => spoken.resolve(),
  })
  scope.onClose(speech.attach())
  const utterance = speech.utterance('speech')
  const voice = new Voice(speaker, call.line.law, clock, settings.stepMs)
  for await (const { audio, text } of voice.speak(BUSY, scope.signal)) utterance.write(audio, text)
  utterance.end()
  await unlessAborted(call.answer(), scope.signal)
  speech.release()
  const late = () => new GatewayError('MEDIA_FAILED', 'The media thread did not tell in time that all was heard.')
  await unlessAborted(spoken.promise, scope.signal, { clock, ms: limits.local.busySentenceMs, late })
  return insteadOfEngine({ call, scope, clock, speech }, 'engine busy')
}
