import { expect, it } from 'vitest'
import { TurnStamps } from '../../../bench/conversation/turn-stamps.ts'
import { turnTimes } from '../../../bench/conversation/turn-times.ts'

/** A provider at whose watch the test looks. */
function provider() {
  let nowMs = 0
  const stamps = new TurnStamps(() => nowMs)
  return {
    stamps,
    heard(atMs: number, mark: number) {
      nowMs = atMs
      stamps.heard(mark)
    },
    tells(atMs: number, type: string) {
      nowMs = atMs
      stamps.tells(
        `{"event_id":"event_7","type":"${type}","item_id":"item_1","delta":"\\"type\\":\\"response.created\\""}`,
      )
    },
  }
}

function turn(watched: ReturnType<typeof provider>, mark: number, atMs: number): void {
  const { heard, tells } = watched
  heard(atMs, mark)
  tells(atMs + 1, 'input_audio_buffer.speech_started')
  heard(atMs + 600, mark)
  tells(atMs + 1_100, 'input_audio_buffer.speech_stopped')
  tells(atMs + 1_101, 'input_audio_buffer.committed')
  tells(atMs + 1_103, 'response.created')
  tells(atMs + 1_150, 'response.output_audio.delta')
  tells(atMs + 1_170, 'response.output_audio.delta')
}

it('tells of each turn how long its two ways took, and how soon the agent fell silent', () => {
  const watched = provider()
  turn(watched, 1, 1_000)
  turn(watched, 2, 5_000)
  const callers = [
    { mark: 1, voiceMs: 600, sentMs: 1_598, heardMs: 2_153, cutMs: undefined },
    { mark: 2, voiceMs: 300, sentMs: 5_596, heardMs: 6_151, cutMs: 5_006 },
  ]
  expect(turnTimes(callers, watched.stamps.take())).toEqual({
    upMs: [2, 4],
    downMs: [3, 1],
    pathMs: [5, 5],
    silencedMs: [5],
    askedMs: [
      { voiceMs: 600, ms: 2 },
      { voiceMs: 300, ms: 2 },
    ],
    unmatched: 0,
  })
  expect(watched.stamps.take()).toEqual([])
})

it('takes an agent that had fallen silent before it was told for silent at once', () => {
  const watched = provider()
  turn(watched, 1, 1_000)
  const caller = { mark: 1, voiceMs: 600, sentMs: 1_598, heardMs: 2_153, cutMs: 995 }
  expect(turnTimes([caller], watched.stamps.take()).silencedMs).toEqual([0])
})

it('counts turns of which the provider has heard nothing, or told no sound', () => {
  const watched = provider()
  watched.heard(100, 1)
  watched.tells(101, 'response.output_audio.delta')
  const caller = { voiceMs: 600, sentMs: 98, heardMs: 200, cutMs: undefined }
  const callers = [1, 2].map(mark => ({ ...caller, mark }))
  expect(turnTimes(callers, watched.stamps.take())).toMatchObject({ unmatched: 2, pathMs: [] })
})
