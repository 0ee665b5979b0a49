import type { Handler } from '../../src/call/ports.ts'
import { beginsLoud, encodedSound } from './sounds.ts'

/** The URI parameter that tells how long a reply lasts, in milliseconds. */
export const REPLY_PARAMETER = 'reply'

/**
 * An agent without an engine: ready at once, and to each frame that begins loud it replies with a tone, at once. What is
 * measured around it is the gateway alone.
 */
export const replying: Handler = async (call, scope) => {
  const { line, facts } = call
  const reply = encodedSound(facts.law, Number(facts.parameters[REPLY_PARAMETER]))
  let utterance = 0
  const say = () => {
    utterance += 1
    line.speak({ utterance, audio: reply, text: '', last: true })
  }
  const ear = {
    format: { encoding: facts.law, rate: 8_000 },
    write(frame: Uint8Array | Int16Array) {
      if (beginsLoud(facts.law, frame as Uint8Array)) say()
    },
  } as const
  scope.onClose(line.hear(ear))
  await call.answer()
  say()
  await new Promise(resolve => scope.signal.addEventListener('abort', resolve, { once: true }))
  return { kind: 'hangup' }
}
