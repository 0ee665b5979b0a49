import type { ToolDescription } from '../agent/ports.ts'
import type { AudioFormat } from '../media/audio.ts'
import type { OlderSession, SessionRequest, TurnDetection } from '../providers/openai/protocol.ts'
import { acceptable } from './acceptable.ts'

/** What kind of server this is. */
export interface Kind {
  readonly names: 'new' | 'older'
  /** What it does about a wish for G.711 when it knows only PCM. */
  readonly g711: 'speaks' | 'refuses' | 'ignores'
  readonly truncates: boolean
  /** Whether it answers what the caller says only as its client has chosen. */
  readonly answers: 'as told' | 'always'
}

export const realKind: Kind = { names: 'new', g711: 'speaks', truncates: true, answers: 'as told' }

const pcm = { encoding: 'pcm16', rate: 24_000 } as const
const formats: Readonly<Record<string, AudioFormat>> = {
  'audio/pcmu': { encoding: 'ulaw', rate: 8_000 },
  'audio/pcma': { encoding: 'alaw', rate: 8_000 },
  'audio/pcm': pcm,
  g711_ulaw: { encoding: 'ulaw', rate: 8_000 },
  g711_alaw: { encoding: 'alaw', rate: 8_000 },
  pcm16: pcm,
}

/** A session's settings, the same for both dialects. */
export interface Settings {
  readonly input: AudioFormat
  readonly output: AudioFormat
  readonly voice: string
  readonly instructions: string
  readonly tools: readonly ToolDescription[]
  readonly turnDetection: TurnDetection | null
  /** Who writes down what is heard; empty: nobody. */
  readonly transcribedBy: string
}

export const firstSettings: Settings = {
  input: pcm,
  output: pcm,
  voice: 'alloy',
  instructions: '',
  tools: [],
  turnDetection: { type: 'server_vad', create_response: true, interrupt_response: true },
  transcribedBy: '',
}

/** What a client wants changed, or the code of what is wrong with it. */
export function changed(
  settings: Settings,
  session: SessionRequest | OlderSession,
  kind: Kind,
  hasSpoken: boolean,
): Settings | { readonly problem: string } {
  if (kind.names === 'new' && !('type' in session && session.type === 'realtime')) {
    return { problem: 'missing_required_parameter' }
  }
  if (kind.names === 'older' && 'audio' in session) return { problem: 'unknown_parameter' }
  if (!acceptable(session)) return { problem: 'invalid_value' }
  const next =
    kind.names === 'new' ? fromNew(settings, session as SessionRequest) : fromOlder(settings, session as OlderSession)
  if ('problem' in next) return next
  if (hasSpoken && next.voice !== settings.voice) return { problem: 'cannot_update_voice' }
  const usesG711 = [next.input, next.output].some(({ encoding }) => encoding !== 'pcm16')
  if (!usesG711 || kind.g711 === 'speaks') return next
  return kind.g711 === 'refuses' ? { problem: 'invalid_value' } : { ...next, input: pcm, output: pcm }
}

type Changed = Settings | { readonly problem: string }

function fromNew(settings: Settings, session: SessionRequest): Changed {
  // What belongs to the older form is unknown to the new one.
  if ('input_audio_format' in session || 'modalities' in session) return { problem: 'unknown_parameter' }
  const { input, output } = session.audio ?? {}
  return complete(settings, {
    input: input?.format?.type,
    output: output?.format?.type,
    voice: typeof output?.voice === 'string' ? output.voice : undefined,
    instructions: session.instructions,
    tools: toolsOf(session),
    turnDetection: input?.turn_detection,
    transcription: input?.transcription,
  })
}

function fromOlder(settings: Settings, session: OlderSession): Changed {
  return complete(settings, {
    input: session.input_audio_format,
    output: session.output_audio_format,
    voice: session.voice,
    instructions: session.instructions,
    tools: toolsOf(session),
    turnDetection: session.turn_detection,
    transcription: session.input_audio_transcription,
  })
}

/** They have been found acceptable. */
function toolsOf({ tools }: SessionRequest | OlderSession): readonly ToolDescription[] | undefined {
  return tools as readonly ToolDescription[] | undefined
}

interface Wanted {
  readonly input: string | undefined
  readonly output: string | undefined
  readonly voice: string | undefined
  readonly instructions: string | undefined
  readonly tools: readonly ToolDescription[] | undefined
  readonly turnDetection: TurnDetection | null | undefined
  readonly transcription: { readonly model?: string } | null | undefined
}

function complete(settings: Settings, wanted: Wanted): Changed {
  const input = wanted.input === undefined ? settings.input : formats[wanted.input]
  const output = wanted.output === undefined ? settings.output : formats[wanted.output]
  if (!input || !output) return { problem: 'invalid_value' }
  return {
    input,
    output,
    voice: wanted.voice || settings.voice,
    instructions: wanted.instructions ?? settings.instructions,
    tools: wanted.tools ?? settings.tools,
    turnDetection: wanted.turnDetection === undefined ? settings.turnDetection : wanted.turnDetection,
    transcribedBy: wanted.transcription === undefined ? settings.transcribedBy : (wanted.transcription?.model ?? ''),
  }
}

/** As the server describes it to its client. */
export function described(settings: Settings, { names }: Kind): SessionRequest | OlderSession {
  const nameOf = (format: AudioFormat, dialect: 'new' | 'older') =>
    Object.keys(formats).find(
      name => formats[name]?.encoding === format.encoding && name.startsWith('audio/') === (dialect === 'new'),
    )
  const { voice, instructions, turnDetection } = settings
  if (names === 'older') {
    return {
      object: 'realtime.session',
      modalities: ['audio', 'text'],
      voice,
      instructions,
      turn_detection: turnDetection,
      input_audio_format: nameOf(settings.input, 'older') as 'pcm16',
      output_audio_format: nameOf(settings.output, 'older') as 'pcm16',
    }
  }
  return {
    type: 'realtime',
    output_modalities: ['audio'],
    instructions,
    audio: {
      input: { format: { type: nameOf(settings.input, 'new') as 'audio/pcm' }, turn_detection: turnDetection },
      output: { format: { type: nameOf(settings.output, 'new') as 'audio/pcm' }, voice },
    },
  }
}
