import type * as Api from 'openai/resources/realtime/realtime'

/** What goes over the wire, in the words of the vendor's own types: when the protocol changes, this does not compile. */
export type ClientEvent = Api.RealtimeClientEvent
export type ServerEvent = Api.RealtimeServerEvent
export type ServerEventOf<T extends ServerEvent['type']> = Extract<ServerEvent, { type: T }>
export type SessionRequest = Api.RealtimeSessionCreateRequest
/** As servers describe a session that speak the names of before 2025-08. */
export type OlderSession = Api.RealtimeSession
export type Item = Api.ConversationItem
export type ResponseParams = Api.RealtimeResponseCreateParams
export type Response = Api.RealtimeResponse
export type ApiError = Api.RealtimeError
export type TurnDetection = Api.RealtimeAudioInputTurnDetection
export type FunctionTool = Api.RealtimeFunctionTool

/** What an event must have to be of use; one that lacks it is malformed. */
const needed = {
  'session.created': ['session'],
  'session.updated': ['session'],
  error: ['error'],
  'conversation.item.added': ['item'],
  'conversation.item.done': ['item'],
  'conversation.item.truncated': ['item_id'],
  'conversation.item.deleted': ['item_id'],
  'conversation.item.input_audio_transcription.delta': ['item_id'],
  'conversation.item.input_audio_transcription.completed': ['item_id', 'transcript'],
  'conversation.item.input_audio_transcription.failed': ['item_id'],
  'input_audio_buffer.speech_started': ['audio_start_ms', 'item_id'],
  'input_audio_buffer.speech_stopped': ['audio_end_ms', 'item_id'],
  'input_audio_buffer.committed': ['item_id'],
  'response.created': ['response'],
  'response.done': ['response'],
  'response.output_item.added': ['item', 'response_id'],
  'response.output_item.done': ['item', 'response_id'],
  'response.output_audio.delta': ['item_id', 'response_id', 'delta'],
  'response.output_audio_transcript.delta': ['item_id', 'response_id', 'delta'],
  'response.output_audio_transcript.done': ['item_id', 'response_id', 'transcript'],
  'response.function_call_arguments.done': ['call_id', 'response_id', 'arguments'],
} as const satisfies Partial<Record<ServerEvent['type'], readonly string[]>>

/** Names of the older dialect, and what they are called now. */
export const newNames = {
  'conversation.item.created': 'conversation.item.added',
  'response.audio.delta': 'response.output_audio.delta',
  'response.audio.done': 'response.output_audio.done',
  'response.audio_transcript.delta': 'response.output_audio_transcript.delta',
  'response.audio_transcript.done': 'response.output_audio_transcript.done',
  'response.text.delta': 'response.output_text.delta',
  'response.text.done': 'response.output_text.done',
} as const satisfies Record<string, ServerEvent['type']>

/** A frame as an event by its new name; undefined when it is none. One of a kind nobody knows is an event all the same. */
export function readEvent(frame: string): ServerEvent | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(frame)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const fields = parsed as Record<string, unknown>
  const { type } = fields
  if (typeof type !== 'string') return undefined
  const name = Object.hasOwn(newNames, type) ? newNames[type as keyof typeof newNames] : type
  const wanted: readonly string[] = Object.hasOwn(needed, name) ? needed[name as keyof typeof needed] : []
  if (!wanted.every(field => isOfUse(field, fields[field]))) return undefined
  return { ...fields, type: name } as ServerEvent
}

function isOfUse(field: string, value: unknown): boolean {
  if (field.endsWith('_ms')) return typeof value === 'number' && Number.isFinite(value)
  if (['session', 'error', 'item', 'response'].includes(field)) return typeof value === 'object' && value !== null
  return typeof value === 'string'
}
