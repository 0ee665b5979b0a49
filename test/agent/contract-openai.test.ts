import { realtimeAgent } from '../../src/agent/realtime.ts'
import { FakeOpenAi } from '../../src/fake-openai/api.ts'
import type { Kind } from '../../src/fake-openai/settings.ts'
import { realtimeConversant } from '../../src/providers/openai/conversant.ts'
import { defaultOptions } from '../../src/providers/openai/options.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { dialFake } from '../support/fake-openai.ts'
import { agentContract } from './contract.ts'

const kinds: readonly (readonly [string, Partial<Kind>])[] = [['the Realtime protocol', {}]]

for (const [name, kind] of kinds) {
  agentContract(name, {
    parts: ['conversant'],
    silenceMs: 17_000,
    make: ({ clock, script, settings, tools, faults }) => {
      const api = new FakeOpenAi({ clock, script, kind, apiKey: 'key' })
      const conversant = realtimeConversant({
        clock,
        baseUrl: 'https://api.openai.com/v1',
        apiKey: 'key',
        options: defaultOptions,
        dial: dialFake(api),
      })
      return realtimeAgent({
        conversant: faults.conversant(conversant),
        speaker: scriptedSpeaker({ clock, format: { encoding: 'ulaw', rate: 8_000 }, latencyMs: 20 }),
        tools: () => tools,
        settings,
        clock,
      })
    },
  })
}
