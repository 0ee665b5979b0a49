import { describe, expect, it } from 'vitest'
import type { Kind } from '../../../src/fake-openai/settings.ts'
import { answering } from './house.ts'

const words = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'
const kinds = (['new', 'older'] as const).flatMap(names =>
  (['speaks', 'refuses', 'ignores'] as const).flatMap(g711 =>
    [true, false].map((truncates): Kind => ({ names, g711, truncates })),
  ),
)
const laws = ['ulaw', 'alaw'] as const

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
