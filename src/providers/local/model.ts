import type { Message, Model, ReplyPart, ToolDescription } from '../../agent/ports.ts'
import type { Business } from '../../business.ts'
import { NOT_UNDERSTOOD } from './ear.ts'
import type { Understanding } from './meaning.ts'
import {
  type About,
  beginning,
  comeBack,
  converse,
  type Deed,
  type Move,
  report,
  type Said,
  type State,
} from './policy.ts'

export interface DialogueModelOptions {
  readonly understanding: Understanding
  readonly about: () => About
  /** Whether the next words are to be heard freely: a message's. */
  readonly listenFor: (kind: 'grammar' | 'free') => void
}

const FORBID = 'do_not_call'
const ASKED = 'They want to speak to a person.'

/** The policy as a model: where the conversation stands follows from its history alone. */
export function dialogueModel({ understanding, about, listenFor }: DialogueModelOptions): Model {
  let calls = 0
  return {
    async *reply(history, tools, _signal): AsyncGenerator<ReplyPart, void, undefined> {
      const latest = history.at(-1)
      if (latest?.role === 'toolResult') {
        const deed = latest.name === FORBID ? 'callsForbidden' : 'kept'
        yield { kind: 'text', text: report(latest.result.ok, deed) }
        return
      }
      const at = about()
      const { say, deed, state } = latestMove(history, understanding, at)
      listenFor(state.topic.kind === 'message' ? 'free' : 'grammar')
      if (say !== '') yield { kind: 'text', text: say }
      if (deed) yield { kind: 'toolCall', id: `call-${++calls}`, ...toolCallFor(deed, tools, at.business) }
    },
  }
}

function latestMove(history: readonly Message[], understanding: Understanding, about: About): Move {
  let move: Move = { state: beginning, say: '' }
  for (const message of history) {
    if (message.role === 'caller') move = converse(move.state, saidIn(message.text, move.state, understanding), about)
    if (message.role === 'instruction' && message.transfer) move = comeBack(move.state, message.transfer)
  }
  return move
}

const pressed = /\[pressed ([0-9*#]+)\]/

/** The words of a message are taken as they are; what wants something else is understood all the same. */
export function saidIn(text: string, { topic }: State, understanding: Understanding): Said {
  const keys = pressed.exec(text)?.[1] ?? ''
  const words = text.replaceAll(NOT_UNDERSTOOD, '').replace(pressed, '').replace(/\s+/g, ' ').trim()
  // Half a sentence may mean something else than all of it.
  const meaning = text.includes(NOT_UNDERSTOOD) ? undefined : understanding.understand(words)
  if (topic.kind !== 'message') return { text: words, keys, meaning }
  const turnsAway =
    meaning && ['cancel', 'transfer', 'goodbye', 'repeat', 'notAgain', 'voicemail'].includes(meaning.intent)
  return { text: words, keys, meaning: turnsAway ? meaning : undefined }
}

function toolCallFor(
  deed: Deed,
  tools: readonly ToolDescription[],
  business: Business,
): { name: string; args: unknown } {
  switch (deed.kind) {
    case 'storeMessage': {
      const { kind: _, ...args } = deed
      return { name: 'take_message', args }
    }
    case 'storeAppointment': {
      const { service, day, time } = deed
      return { name: 'request_appointment', args: { ...(service && { service }), date: day?.date, time } }
    }
    case 'handOver':
      if (!tools.some(({ name }) => name === 'transfer')) return { name: 'hand_over', args: {} }
      return { name: 'transfer', args: { destination: deed.to ?? personOf(business), reason: ASKED } }
    case 'takeVoicemail':
      return { name: 'take_voicemail', args: {} }
    case 'forbidCalls':
      return { name: FORBID, args: {} }
    case 'hangUp':
      return { name: 'end_call', args: {} }
  }
}

function personOf({ transfers, destinations }: Business): string | undefined {
  return transfers.person ?? destinations[0]?.name
}
