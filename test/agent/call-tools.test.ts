import { describe, expect, it } from 'vitest'
import type { ConversantEvent, Tool, ToolResult } from '../../src/agent/ports.ts'
import { Queue } from '../../src/agent/queue.ts'
import { realtimeAgent } from '../../src/agent/realtime.ts'
import { builtInTools } from '../../src/business-tools.ts'
import { limits } from '../../src/limits.ts'
import { Sounds } from '../../src/providers/scripted/sounds.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { business, House, type HouseOptions, toneSettings } from './house.ts'

/** A call in which a model greets, and asks for tools, a reply each. */
async function talking(options: HouseOptions = {}) {
  const clock = new VirtualClock()
  const events = new Queue<ConversantEvent>()
  const results: { id: string; result: ToolResult; reply: boolean }[] = []
  let offered: readonly Tool[] = []
  const conversant = {
    open: async ({ format, tools }: { format: never; tools: readonly Tool[] }) => {
      offered = tools
      const toolResult = (id: string, result: ToolResult, reply: boolean) => results.push({ id, result, reply })
      const nothing = () => {}
      const hear = { format, write: nothing }
      return {
        hear,
        events,
        respond: nothing,
        say: nothing,
        instruct: nothing,
        cancel: nothing,
        heard: nothing,
        toolResult,
      }
    },
  }
  const parts = { speaker: undefined, tools: () => [], settings: toneSettings, clock }
  const house = new House(clock, options).start(realtimeAgent({ ...parts, conversant: conversant as never }))
  await house.run(20)
  const audio = new Sounds({ encoding: 'ulaw', rate: 8_000 }).render('[tone 440 600ms]')
  const said = [
    { kind: 'replying' },
    { kind: 'audio', item: 'greeting', audio, text: 'Hello.' },
    { kind: 'audioEnded', item: 'greeting' },
    { kind: 'turnEnded' },
  ] as const
  for (const event of said) events.push(event)
  await house.run(100)
  let count = 0
  const ask = async (name: string, args: unknown) => {
    const id = `call ${++count}`
    const reply = [{ kind: 'replying' }, { kind: 'toolCall', id, name, args }, { kind: 'turnEnded' }] as const
    for (const event of reply) events.push(event)
    await house.run(20)
    return results.find(each => each.id === id)?.result
  }
  const names = () => offered.map(({ name }) => name)
  return { house, events, results, ask, names, tool: (name: string) => offered.find(each => each.name === name) }
}

const { outbound } = business

describe('what a model can do in every call', () => {
  it('is all that is called so, and nothing else', async () => {
    const { names } = await talking()
    const others = builtInTools.filter(name => name !== 'do_not_call')
    expect(names()).toEqual(others.filter(name => name !== 'transfer'))
    const destinations = [
      { name: 'billing', address: 'sip:1@192.0.2.10', mode: 'blind' as const, description: 'bills' },
    ]
    const connecting = await talking({ business: { destinations } })
    expect(connecting.names()).toEqual(others.filter(name => name !== 'hand_over'))
    expect(connecting.tool('transfer')?.parameters).toMatchObject({
      properties: { destination: { enum: ['billing'], description: 'billing: bills' }, reason: { type: 'string' } },
      required: ['destination', 'reason'],
    })
  })

  it('takes a message once, with the number the caller calls from or another', async () => {
    const { house, ask } = await talking()
    expect(await ask('take_message', { message: 'Please call me.' })).toEqual({ ok: true, value: 'kept' })
    expect(await ask('take_message', { message: 'Please call me.' })).toEqual({ ok: true, value: 'kept' })
    await ask('take_message', { number: '+15550100999', person: 'Dr Lee', message: 'Please call me.' })
    expect(house.all('messageTaken').map(fact => fact.private)).toEqual([
      { text: 'Please call me.', callback: '+15550100300' },
      { text: 'Please call me.', callback: '+15550100999', person: 'Dr Lee' },
    ])
    expect(await ask('take_message', { message: 'x'.repeat(limits.agent.messageChars + 1) })).toMatchObject({
      ok: false,
    })
    expect(await ask('take_message', { message: 'x', to: 'y' })).toMatchObject({ ok: false })
  })

  it('puts whoever calls, or was called, on the list of whom a business that calls people must not call', async () => {
    const { house, ask, names } = await talking({ business: { outbound: { ...outbound, enabled: true } } })
    expect(names()).toContain('do_not_call')
    for (const _ of [1, 2]) expect(await ask('do_not_call', {})).toEqual({ ok: true, value: 'kept' })
    expect(house.all('callsForbidden').map(fact => fact.private)).toEqual([{ number: '+15550100300' }])
    const hidden = await talking({ number: 'anonymous', business: { outbound: { ...outbound, enabled: true } } })
    expect(await hidden.ask('do_not_call', {})).toMatchObject({ ok: false })
    expect(hidden.house.fact('callsForbidden')).toBeUndefined()
  })

  it('sends digits, the same ones again when it is asked again, and nothing that is none', async () => {
    const { house, ask } = await talking()
    expect(await ask('send_digits', { digits: '12w#' })).toEqual({ ok: true, value: 'sent' })
    await ask('send_digits', { digits: '12w#' })
    for (const digits of ['', '12,3', 'E', '+1555', '1'.repeat(limits.call.digitsSent + 1)]) {
      expect(await ask('send_digits', { digits })).toMatchObject({
        ok: false,
        problem: expect.stringContaining('digits'),
      })
    }
    expect(house.sentDigits).toEqual(['12w#', '12w#'])
  })

  it('tells the time where the business is', async () => {
    const { ask } = await talking()
    const told = await ask('current_time', {})
    expect(told).toMatchObject({
      ok: true,
      value: { timeZone: 'UTC', date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) },
    })
    // As some servers write it when there are no arguments.
    expect(await ask('current_time', '')).toMatchObject({ ok: true })
    expect(await ask('current_time', '{"a')).toMatchObject({ ok: false })
  })

  it('answers each of twenty calls at once in words, and speaks about them once', async () => {
    const { house, events, results } = await talking()
    events.push({ kind: 'replying' })
    for (let n = 0; n < 20; n++) {
      const name = ['current_time', 'unheard_of', 'take_message', 'send_digits'][n % 4]!
      events.push({ kind: 'toolCall', id: `call ${n}`, name, args: n % 4 === 2 ? { message: `${n}` } : {} })
    }
    await house.run(100)
    events.push({ kind: 'turnEnded' })
    await house.run(100)
    expect(new Set(results.map(({ id }) => id)).size).toBe(20)
    expect(results.filter(({ reply }) => reply)).toHaveLength(1)
    for (const { result } of results) expect(result.ok || result.problem).toBeTruthy()
    expect(results.filter(({ result }) => result.ok)).toHaveLength(10)
  })

  it('ends the call also when it had wanted that before and the caller went on', async () => {
    const { house, ask } = await talking()
    expect(await ask('end_call', {})).toMatchObject({ ok: true })
    house.press('1')
    await house.run(3_000)
    expect(house.outcome).toBeUndefined()
    await ask('end_call', {})
    await house.run(1_000)
    expect(house.fact('degraded')).toBeUndefined()
    expect(house.all('toolRan').filter(({ tool }) => tool === 'end_call')).toHaveLength(2)
  })
})
