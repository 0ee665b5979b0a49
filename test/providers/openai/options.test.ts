import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool } from '../../../src/agent/define-tool.ts'
import type { Tool } from '../../../src/agent/ports.ts'
import { eagernesses, noiseReductions, type RealtimeOptions } from '../../../src/providers/openai/options.ts'
import type { OlderSession, SessionRequest } from '../../../src/providers/openai/protocol.ts'
import { call } from './house.ts'

const lookUp = defineTool({
  name: 'look_up',
  description: 'Looks something up.',
  args: z.object({ what: z.string() }),
  effect: 'read',
  timeoutMs: 1_000,
  run: async () => ({ ok: true, value: 'found' }),
})

/** What the server is asked for, in its new form; it has taken it, greeted and answered. */
async function chosen(realtime: Partial<RealtimeOptions>, tools: readonly Tool[] = []): Promise<SessionRequest> {
  const { house, sent, api } = call({ realtime, tools })
  await house.run(900)
  house.says(1_300)
  await house.run(3_500)
  expect(api.problems).toEqual([])
  expect(house.hertz).toEqual([440, 650])
  const [update, ...more] = sent('session.update')
  expect(more).toEqual([])
  await house.hangUp()
  return update!.session as SessionRequest
}

const whoAnswers = { create_response: false, interrupt_response: false }

describe('the options of a session', () => {
  it('server_vad, with its silence, threshold and prefix', async () => {
    const session = await chosen({ silenceMs: 700, threshold: 0.3, prefixMs: 200 })
    expect(session.audio?.input?.turn_detection).toEqual({
      type: 'server_vad',
      silence_duration_ms: 700,
      threshold: 0.3,
      prefix_padding_ms: 200,
      ...whoAnswers,
    })
  })

  it.each(eagernesses)('semantic_vad, eager: %s', async eagerness => {
    const session = await chosen({ turnDetection: 'semantic_vad', eagerness })
    expect(session.audio?.input?.turn_detection).toEqual({ type: 'semantic_vad', eagerness, ...whoAnswers })
  })

  it.each(noiseReductions)('noise reduction: %s', async noiseReduction => {
    const { input } = (await chosen({ noiseReduction })).audio ?? {}
    expect(input?.noise_reduction).toEqual(noiseReduction === 'off' ? undefined : { type: noiseReduction })
  })

  it.each([
    ['gpt-live-transcribe', { model: 'gpt-live-transcribe', language: 'en' }],
    ['', undefined],
  ])('transcription by "%s"', async (transcriptionModel, transcription) => {
    expect((await chosen({ transcriptionModel })).audio?.input?.transcription).toEqual(transcription)
  })

  it('voice', async () => {
    expect((await chosen({ voice: 'cedar' })).audio?.output?.voice).toBe('cedar')
  })

  it('tools, with the schema of their arguments', async () => {
    expect((await chosen({}, [lookUp])).tools).toContainEqual({
      type: 'function',
      name: 'look_up',
      description: 'Looks something up.',
      parameters: lookUp.parameters,
    })
  })

  it('all of them in the older form, too', async () => {
    const { house, sent, api } = call({
      realtime: { turnDetection: 'semantic_vad', eagerness: 'high', voice: 'ash', noiseReduction: 'near_field' },
      tools: [lookUp],
      api: { kind: { names: 'older' } },
    })
    await house.run(900)
    expect(api.problems).toEqual([])
    const session = sent('session.update')[0]!.session as unknown as OlderSession
    expect(session).toMatchObject({
      voice: 'ash',
      input_audio_format: 'g711_ulaw',
      turn_detection: { type: 'semantic_vad', eagerness: 'high', ...whoAnswers },
      input_audio_noise_reduction: { type: 'near_field' },
      input_audio_transcription: { model: expect.any(String), language: 'en' },
    })
    expect(session.tools?.map(({ name }) => name)).toContain('look_up')
    await house.hangUp()
  })

  it('that the server does not know end the call unanswered, and the record names the error', async () => {
    const { house } = call({ realtime: { voice: 'nobody' } })
    await house.run(900)
    expect(house.outcome).toMatchObject({ kind: 'handBack' })
    expect(house.fact('degraded')?.detail).toContain('invalid_value')
  })
})
