import { pipelineAgent } from '../../agent/pipeline.ts'
import type { ToolsOf } from '../../agent/ports.ts'
import { realtimeAgent } from '../../agent/realtime.ts'
import { type AgentSettings, defaultSettings } from '../../agent/settings.ts'
import type { Handler } from '../../call/ports.ts'
import type { Clock } from '../../clock.ts'
import type { AudioFormat } from '../../media/audio.ts'
import { scriptedConversant } from './conversant.ts'
import { scriptedModel } from './model.ts'
import { scriptedRecognizer } from './recognizer.ts'
import { answerTones, type Script } from './script.ts'
import { scriptedSpeaker } from './speaker.ts'
import { scriptedTools } from './tools.ts'

export interface ScriptedOptions {
  readonly clock: Clock
  /** Three parts, or one that hears, thinks and speaks. */
  readonly variant?: 'cascade' | 'conversant'
  readonly script?: Script
  readonly settings?: AgentSettings
  readonly tools?: ToolsOf
  /** Of the speaker. */
  readonly format?: AudioFormat
  readonly latencyMs?: { readonly recognizer: number; readonly model: number; readonly speaker: number }
}

/** A whole engine without any vendor: deterministic, and cheap enough for hundreds of calls. */
export function scriptedEngine({
  clock,
  variant = 'cascade',
  script = answerTones,
  settings = defaultSettings,
  tools = () => scriptedTools(clock),
  format = { encoding: 'ulaw', rate: 8_000 },
  latencyMs = { recognizer: 50, model: 100, speaker: 20 },
}: ScriptedOptions): Handler {
  const recognizer = scriptedRecognizer({ clock, latencyMs: latencyMs.recognizer })
  const model = scriptedModel({ clock, script, latencyMs: latencyMs.model })
  const speaker = scriptedSpeaker({ clock, format, latencyMs: latencyMs.speaker })
  if (variant === 'cascade') return pipelineAgent({ recognizer, model, speaker, tools, settings, clock })
  const conversant = scriptedConversant({ clock, recognizer, model })
  return realtimeAgent({ conversant, speaker, tools, settings, clock })
}
