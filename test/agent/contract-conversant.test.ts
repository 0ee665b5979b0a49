import { realtimeAgent } from '../../src/agent/realtime.ts'
import { scriptedConversant } from '../../src/providers/scripted/conversant.ts'
import { scriptedModel } from '../../src/providers/scripted/model.ts'
import { scriptedRecognizer } from '../../src/providers/scripted/recognizer.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { agentContract } from './contract.ts'

agentContract('conversant', {
  parts: ['conversant'],
  silenceMs: 17_000,
  make: ({ clock, script, settings, tools, faults }) => {
    const recognizer = scriptedRecognizer({ clock, latencyMs: 50 })
    const model = scriptedModel({ clock, script, latencyMs: 100 })
    return realtimeAgent({
      conversant: faults.conversant(scriptedConversant({ clock, recognizer, model })),
      speaker: scriptedSpeaker({ clock, format: { encoding: 'ulaw', rate: 8_000 }, latencyMs: 20 }),
      tools: () => tools,
      settings,
      clock,
    })
  },
})
