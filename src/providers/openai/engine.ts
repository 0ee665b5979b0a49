import { conversantSpeaker } from '../../agent/conversant-speaker.ts'
import type { ToolsOf } from '../../agent/ports.ts'
import { realtimeAgent } from '../../agent/realtime.ts'
import { type AgentSettings, defaultSettings } from '../../agent/settings.ts'
import type { Business } from '../../business.ts'
import type { Handler } from '../../call/ports.ts'
import { limits } from '../../limits.ts'
import { type RealtimeParts, realtimeConversant } from './conversant.ts'
import type { RealtimeOptions } from './options.ts'

interface EngineParts extends RealtimeParts {
  readonly settings?: AgentSettings
  /** Besides those of every call. */
  readonly tools?: ToolsOf
}

/** The realtime engine: for each choice that a business has made an agent, with its phrases kept as sound. */
export function realtimeEngine({ settings = defaultSettings, tools = () => [], ...parts }: EngineParts): Handler {
  const agents = new Map<string, Handler>()
  return (call, scope) => {
    const { voice, language } = call.business
    const options = optionsFor(call.business, parts.options)
    const key = JSON.stringify([options, voice, language])
    let agent = agents.get(key)
    if (!agent) {
      const conversant = realtimeConversant({ ...parts, options })
      const speaker = conversantSpeaker(conversant, { voice, language })
      agent = realtimeAgent({ conversant, speaker, tools, settings, clock: parts.clock })
      agents.set(key, agent)
      if (agents.size > limits.openai.choices) agents.delete(agents.keys().next().value!)
    }
    return agent(call, scope)
  }
}

/** What a business has chosen, and for the rest what the gateway is set to. */
function optionsFor({ realtime }: Pick<Business, 'realtime'>, options: RealtimeOptions): RealtimeOptions {
  const chosen = Object.entries(realtime).filter(([, value]) => value !== undefined)
  return { ...options, ...Object.fromEntries(chosen) }
}
