import { conversantSpeaker } from '../../agent/conversant-speaker.ts'
import type { Speaker, ToolsOf } from '../../agent/ports.ts'
import { realtimeAgent } from '../../agent/realtime.ts'
import { type AgentSettings, defaultSettings, settingsOf } from '../../agent/settings.ts'
import { StoredPhrases } from '../../agent/stored-phrases.ts'
import { Voice } from '../../agent/voice.ts'
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

export interface RealtimeEngine {
  readonly handler: Handler
  /** Has the phrases of this business made, so that the first caller has them as well. Rejects when the server fails. */
  prewarm(business: Business, signal: AbortSignal): Promise<void>
  /** In the voice of this business. */
  speakerOf(business: Business): Speaker
}

/** The realtime engine: for each choice that a business has made an agent, with its phrases kept as sound. */
export function realtimeEngine({
  settings = defaultSettings,
  tools = () => [],
  ...parts
}: EngineParts): RealtimeEngine {
  const choices = new Map<string, ReturnType<typeof open>>()
  const open = ({ voice, language }: Business, options: RealtimeOptions) => {
    const { clock } = parts
    const conversant = realtimeConversant({ ...parts, options })
    const speaker = conversantSpeaker(conversant, { voice, language })
    const stored = new StoredPhrases()
    return { stored, speaker, agent: realtimeAgent({ conversant, speaker, stored, tools, settings, clock }) }
  }
  const chosenBy = (business: Business) => {
    const { voice, language } = business
    const options = optionsFor(business, parts.options)
    const key = JSON.stringify([options, voice, language])
    const choice = choices.get(key) ?? open(business, options)
    // The one that was not asked for the longest is forgotten.
    choices.delete(key)
    choices.set(key, choice)
    if (choices.size > limits.openai.choices) choices.delete(choices.keys().next().value!)
    return choice
  }
  return {
    handler: (call, scope) => chosenBy(call.business).agent(call, scope),
    speakerOf: business => chosenBy(business).speaker,
    async prewarm(business, signal) {
      const { stored, speaker } = chosenBy(business)
      const { phrases, stepMs } = settingsOf(business, settings)
      await stored.prepare(phrases, new Voice(speaker, 'ulaw', parts.clock, stepMs), signal)
    },
  }
}

/** What a business has chosen, and for the rest what the gateway is set to. */
function optionsFor({ realtime }: Pick<Business, 'realtime'>, options: RealtimeOptions): RealtimeOptions {
  const chosen = Object.entries(realtime).filter(([, value]) => value !== undefined)
  return { ...options, ...Object.fromEntries(chosen) }
}
