import type { CallFact } from '../../src/call/events.ts'
import type { Handler } from '../../src/call/ports.ts'
import { beginsLoud, encodedSound } from './sounds.ts'

/** The URI parameter that tells how long a reply lasts, in milliseconds. */
export const REPLY_PARAMETER = 'reply'
/** And the one that has every so-manieth of them told as a turn, as the realtime engine does. */
export const RECORD_PARAMETER = 'record'
/** And the one of a call that is recorded from where it is answered, where the business wants that. */
export const RECORDED_PARAMETER = 'recorded'

const turn: readonly CallFact[] = [
  { name: 'callerSpoke', private: { text: 'Could I come on Thursday afternoon, please?' } },
  { name: 'turnAnswered', thinkMs: 12, pauseMs: 500 },
  { name: 'replyTimed', askMs: 1, beginMs: 220, makeMs: 180, playMs: 2 },
  { name: 'agentSpoke', ms: 600, complete: true, private: { text: 'Thursday at a quarter past three would be free.' } },
]

/**
 * An agent without an engine: ready at once, and to each frame that begins loud it replies with a tone, at once. What is
 * measured around it is the gateway alone.
 */
export const replying: Handler = async (call, scope) => {
  const { line, facts } = call
  const reply = encodedSound(facts.law, Number(facts.parameters[REPLY_PARAMETER]))
  const toldEach = Number(facts.parameters[RECORD_PARAMETER] ?? Number.POSITIVE_INFINITY)
  let utterance = 0
  const say = () => {
    utterance += 1
    line.speak({ utterance, audio: reply, text: '', last: true })
  }
  const ear = {
    format: { encoding: facts.law, rate: 8_000 },
    write(frame: Uint8Array | Int16Array) {
      if (!beginsLoud(facts.law, frame as Uint8Array)) return
      say()
      if (utterance % toldEach === 0) for (const fact of turn) call.emit(fact)
    },
  } as const
  scope.onClose(line.hear(ear))
  await call.answer()
  if (facts.parameters[RECORDED_PARAMETER]) call.recording?.announced()
  say()
  await new Promise(resolve => scope.signal.addEventListener('abort', resolve, { once: true }))
  return { kind: 'hangup' }
}
