import { pipelineAgent } from '../../src/agent/pipeline.ts'
import type { Recognizer } from '../../src/agent/ports.ts'
import { pause } from '../../src/clock.ts'
import { FRAME_SAMPLES } from '../../src/media/audio.ts'
import { StretchEar } from '../../src/providers/local/ear.ts'
import { RenderedSpeaker } from '../../src/providers/local/speaker.ts'
import { Marker } from '../../src/providers/scripted/marker.ts'
import { scriptedModel } from '../../src/providers/scripted/model.ts'
import { Sounds } from '../../src/providers/scripted/sounds.ts'
import { agentContract } from './contract.ts'

const sounds = new Sounds({ encoding: 'pcm16', rate: 8_000 })

/** The local engine's own ear and speaker; in place of its programs the tones of the contract, in about their time. */
agentContract('local', {
  parts: ['recognizer', 'model', 'speaker'],
  silenceMs: 12_000,
  make: ({ clock, script, settings, tools, faults }) => {
    const recognizer: Recognizer = {
      open: (_format, signal) =>
        new StretchEar(async speech => {
          await pause(clock, 50, signal)
          return markerIn(speech)
        }, signal),
    }
    const speaker = new RenderedSpeaker(async (text, signal) => {
      await pause(clock, 20, signal)
      const bytes = sounds.render(text)
      return { rate: 8_000, samples: new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) }
    })
    return pipelineAgent({
      recognizer: faults.recognizer(recognizer),
      model: faults.model(scriptedModel({ clock, script, latencyMs: 100 })),
      speaker: faults.speaker(speaker),
      tools: () => tools,
      settings,
      clock,
    })
  },
})

/** As the scripted recognizer: a sound of less than 300 ms is no word. */
function markerIn(speech: Int16Array): string | undefined {
  const marker = new Marker()
  const frames = Array.from({ length: speech.length / FRAME_SAMPLES }, (_, at) =>
    speech.subarray(at * FRAME_SAMPLES, (at + 1) * FRAME_SAMPLES),
  )
  const audible = frames.filter(frame => frame.some(sample => Math.abs(sample) > 300))
  for (const frame of audible) marker.hear(frame)
  const hz = marker.find()
  return hz === undefined || audible.length < 15 ? undefined : `tone ${hz}`
}
