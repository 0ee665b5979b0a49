import type { Handler } from '../../src/call/ports.ts'
import { beginsLoud, encodedSound } from './sounds.ts'

/** The URI parameter that names a destination of the business. */
export const TRANSFER_PARAMETER = 'transfer'
/** Longer than any of these calls. */
const SOUND_MS = 60_000

/** An agent whose line is never silent, and which transfers its caller when they click: what is measured around it is the gateway alone. */
export const transferring: Handler = async (call, scope) => {
  const { line, facts } = call
  const destination = facts.parameters[TRANSFER_PARAMETER] ?? ''
  const party = { rings() {}, ownSound() {}, brief: async () => 'accepted' as const }
  let underway = false
  const ear = {
    format: { encoding: facts.law, rate: 8_000 },
    write(frame: Uint8Array | Int16Array) {
      if (underway || !beginsLoud(facts.law, frame as Uint8Array)) return
      underway = true
      void call.transfer({ destination, by: 'agent' }, party, scope.signal)
    },
  } as const
  scope.onClose(line.hear(ear))
  await call.answer()
  line.speak({ utterance: 1, audio: encodedSound(facts.law, SOUND_MS), text: '', last: true })
  await new Promise(resolve => scope.signal.addEventListener('abort', resolve, { once: true }))
  return { kind: 'hangup' }
}
