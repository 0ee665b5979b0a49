import type { ConversantSession, Message, Tool } from '../../agent/ports.ts'
import type { Law } from '../../media/audio.ts'
import { type RealtimeOptions, turnDetectionOf } from './options.ts'
import type { ClientEvent, FunctionTool, Item, OlderSession, ServerEventOf, SessionRequest } from './protocol.ts'

/** What a server understands. Told from how it describes its session, and from what it refuses. */
export interface Dialect {
  readonly names: 'new' | 'older'
  /** What the audio is sent in, both ways. */
  readonly audio: 'g711' | 'pcm'
}

export const PCM_RATE = 24_000

/** The vendor's names for the two laws of G.711, new and older. */
const lawNames = {
  ulaw: { type: 'audio/pcmu', older: 'g711_ulaw' },
  alaw: { type: 'audio/pcma', older: 'g711_alaw' },
} as const satisfies Record<Law, unknown>

/** A session of the new kind says what type it is. */
export function namesOf({ session }: ServerEventOf<'session.created'>): Dialect['names'] {
  return 'type' in session && session.type === 'realtime' ? 'new' : 'older'
}

/** Whether the session, as the server now describes it, speaks something else than it was asked to. */
export function refusesLaw({ session }: ServerEventOf<'session.updated'>, law: Law): boolean {
  const older = (session as OlderSession).output_audio_format
  if (older !== undefined) return older !== lawNames[law].older
  const type = (session as SessionRequest).audio?.output?.format?.type
  return type !== undefined && type !== lawNames[law].type
}

/** What its instructions waited for is there. */
export type ReadySession = ConversantSession & { readonly instructions: string }

/** The first message of a session: all that it is to be. */
export function sessionUpdate(session: ReadySession, options: RealtimeOptions, dialect: Dialect): ClientEvent {
  const event = { type: 'session.update' } as const
  if (dialect.names === 'new') return { ...event, session: newSession(session, options, dialect) }
  // The types of the messages that clients send know the new form only.
  return { ...event, session: olderSession(session, options, dialect) as unknown as SessionRequest }
}

function newSession(session: ReadySession, options: RealtimeOptions, { audio }: Dialect): SessionRequest {
  const format =
    audio === 'pcm' ? ({ type: 'audio/pcm', rate: PCM_RATE } as const) : { type: lawNames[lawOf(session)].type }
  const { noiseReduction } = options
  return {
    type: 'realtime',
    output_modalities: ['audio'],
    instructions: session.instructions,
    audio: {
      input: {
        format,
        turn_detection: turnDetectionOf(options),
        ...(noiseReduction !== 'off' && { noise_reduction: { type: noiseReduction } }),
        ...transcriptionOf(session, options, 'transcription'),
      },
      output: { format, voice: session.voice || options.voice },
    },
    tools: session.tools.map(functionTool),
    tool_choice: 'auto',
  }
}

function olderSession(session: ReadySession, options: RealtimeOptions, { audio }: Dialect): OlderSession {
  const format = audio === 'pcm' ? 'pcm16' : lawNames[lawOf(session)].older
  const { noiseReduction } = options
  return {
    modalities: ['audio', 'text'],
    instructions: session.instructions,
    voice: session.voice || options.voice,
    input_audio_format: format,
    output_audio_format: format,
    turn_detection: turnDetectionOf(options),
    ...(noiseReduction !== 'off' && { input_audio_noise_reduction: { type: noiseReduction } }),
    ...transcriptionOf(session, options, 'input_audio_transcription'),
    tools: session.tools.map(functionTool),
    tool_choice: 'auto',
  }
}

function transcriptionOf<K extends string>(
  { language }: ConversantSession,
  { transcriptionModel }: RealtimeOptions,
  key: K,
): Partial<Record<K, { model: string; language?: string }>> {
  if (transcriptionModel === '') return {}
  const spoken = language?.split('-')[0]
  return { [key]: { model: transcriptionModel, ...(spoken && { language: spoken }) } } as Record<K, { model: string }>
}

function functionTool({ name, description, parameters }: Tool): FunctionTool {
  return { type: 'function', name, description, parameters }
}

export function lawOf({ format }: ConversantSession): Law {
  if (format.encoding === 'pcm16') throw new Error('A telephone line speaks G.711.')
  return format.encoding
}

/** What was said before, as text: so a new session knows what the old one knew. */
export function itemOf(message: Message, { names }: Dialect): Item {
  switch (message.role) {
    case 'caller':
      return { type: 'message', role: 'user', content: [{ type: 'input_text', text: message.text }] }
    case 'agent':
      return agentItem(message.text, names)
    case 'instruction':
      return { type: 'message', role: 'system', content: [{ type: 'input_text', text: message.text }] }
    case 'toolCall':
      return {
        type: 'function_call',
        call_id: message.id,
        name: message.name,
        arguments: JSON.stringify(message.args ?? {}),
      }
    case 'toolResult':
      return { type: 'function_call_output', call_id: message.id, output: JSON.stringify(message.result) }
  }
}

function agentItem(text: string, names: Dialect['names']): Item {
  const type = names === 'new' ? 'output_text' : 'text'
  // The older name is known to no type any more.
  return { type: 'message', role: 'assistant', content: [{ type: type as 'output_text', text }] }
}
