import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool } from '../../../src/agent/define-tool.ts'
import { type Clock, pause } from '../../../src/clock.ts'
import { phraseHz } from '../../agent/house.ts'
import { call } from './house.ts'

const TOOL_MS = 3_000

describe('a tool that changes something', () => {
  it('does it once, and the caller hears of it, when the connection is lost while it runs', async () => {
    const ran: unknown[] = []
    let clock: Clock | undefined
    const book = defineTool({
      name: 'book',
      description: 'Books something.',
      args: z.strictObject({ what: z.string() }),
      effect: 'write',
      timeoutMs: 5_000,
      async run(args, { idempotencyKey }) {
        ran.push({ args, idempotencyKey })
        await pause(clock!, TOOL_MS)
        return { ok: true, value: 'booked' }
      },
    })
    const { house, api, session } = call({ turns: [[{ call: 'book', args: { what: 'table' } }]], tools: [book] })
    clock = house.clock
    await house.run(900)
    house.says(1_300)
    await house.run(2_500)
    expect(ran).toHaveLength(1)
    session().kill()
    await house.run(TOOL_MS + 2_000)
    expect(ran).toHaveLength(1)
    expect(house.hertz.filter(hz => hz !== phraseHz.filler)).toEqual([440, 550])
    expect(house.outcome).toBeUndefined()
    const results = session().conversation.messages.filter(({ role }) => role === 'toolResult')
    expect(results).toMatchObject([{ result: { ok: true, value: 'booked' } }])
    expect(api.sessions).toHaveLength(2)
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })
})

describe('tools of one reply', () => {
  it.each([0, 300])('are answered together, when all of them are known and done: %s ms apart', async waitMs => {
    let clock: Clock | undefined
    const tool = (name: string, tookMs: number) =>
      defineTool({
        name,
        description: 'Looks something up.',
        args: z.strictObject({}),
        effect: 'read',
        timeoutMs: 5_000,
        async run() {
          await pause(clock!, tookMs)
          return { ok: true, value: name }
        },
      })
    const turns = [[{ call: 'quick' }, { waitMs }, { call: 'slow' }]]
    const { house, session, sent } = call({ turns, tools: [tool('quick', 1), tool('slow', 800)] })
    clock = house.clock
    await house.run(900)
    house.says(1_300)
    await house.run(4_000)
    expect(house.hertz).toEqual([440, 550])
    expect(sent('response.create')).toHaveLength(3)
    const kinds = session().received.map(({ type }) => type)
    expect(kinds.slice(-3)).toEqual(['conversation.item.create', 'conversation.item.create', 'response.create'])
    await house.hangUp()
  })
})
