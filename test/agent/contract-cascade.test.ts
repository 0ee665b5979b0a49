import { pipelineAgent } from '../../src/agent/pipeline.ts'
import { scriptedModel } from '../../src/providers/scripted/model.ts'
import { scriptedRecognizer } from '../../src/providers/scripted/recognizer.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { agentContract } from './contract.ts'

agentContract('cascade', {
  parts: ['recognizer', 'model', 'speaker'],
  silenceMs: 12_000,
  make: ({ clock, script, settings, tools, faults }) =>
    pipelineAgent({
      recognizer: faults.recognizer(scriptedRecognizer({ clock, latencyMs: 50 })),
      model: faults.model(scriptedModel({ clock, script, latencyMs: 100 })),
      speaker: faults.speaker(scriptedSpeaker({ clock, format: { encoding: 'ulaw', rate: 8_000 }, latencyMs: 20 })),
      tools: () => tools,
      settings,
      clock,
    }),
})
