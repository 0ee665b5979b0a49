import { describe, expect, it } from 'vitest'
import type { Kind } from '../../../src/fake-openai/settings.ts'
import { answering } from './house.ts'

const words = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'
const kinds = (['new', 'older'] as const).flatMap(names =>
  (['speaks', 'refuses', 'ignores'] as const).flatMap(g711 =>
    [true, false].map((truncates): Partial<Kind> => ({ names, g711, truncates })),
  ),
)
const laws = ['ulaw', 'alaw'] as const

describe('a server that commits what was said and never tells that the voice has ended', () => {
  it('is understood all the same: a word is answered, an interruption is one, and a cough is none', async () => {
    const turns = [[{ say: '[tone 700 3000ms]' }]]
    const stage = await answering({ turns, unsaid: ['input_audio_buffer.speech_stopped'] })
    const { house, api, sent } = stage
    await house.run(600)
    house.says(0, 200)
    await house.run(3_000)
    expect(house.all('agentInterrupted')).toEqual([])
    house.says(1_500, 700)
    await house.run(3_000)
    expect(house.all('agentInterrupted')).toHaveLength(1)
    expect([...new Set(house.hertz)]).toEqual([440, 700, 750])
    expect(sent('response.create')).toHaveLength(3)
    expect([api.sessions.length, api.problems]).toEqual([1, []])
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })
})

describe('a server of any dialect', () => {
  it.each(kinds)('names $names, $g711 G.711, truncates: $truncates', async kind => {
    for (const law of laws) {
      const { house, sent, session, api } = await answering({ law, turns: [[{ say: words }]], api: { kind } })
      await house.run(1_400)
      house.says(1_500)
      await house.run(4_000)
      const heard = house.all('agentSpoke')[1]!
      const text = heard.private.text.trim()
      expect(heard.complete).toBe(false)
      expect(text).toMatch(/^one two/)
      expect(text).not.toContain('fifteen')
      expect(sent('conversation.item.truncate')).toMatchObject([{ audio_end_ms: heard.ms, content_index: 0 }])
      // However it was told, the model knows of the words that were heard, and of no others.
      expect(JSON.stringify(session().conversation.messages)).not.toContain('fifteen')
      expect(session().conversation.messages.filter(({ role }) => role === 'agent')).toHaveLength(3)
      expect(house.hertz.at(-1)).toBe(750)
      expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1300', 'tone 1500'])
      expect(api.problems).toEqual([
        ...(kind.g711 === 'refuses' ? ['invalid_value'] : []),
        ...(kind.truncates ? [] : ['unknown_event']),
      ])
      await house.hangUp()
      expect(house.clock.pending).toBe(0)
    }
  })
})
