import { describe, expect, it } from 'vitest'
import { History, Turn } from '../../src/agent/history.ts'
import { Utterance } from '../../src/agent/speech.ts'
import { limits } from '../../src/limits.ts'

function said(
  text: string,
  heard?: { text: string; complete: boolean },
  kind: 'speech' | 'filler' = 'speech',
): Utterance {
  const utterance = new Utterance(
    kind,
    () => {},
    () => {},
  )
  utterance.write(new Uint8Array(8), text)
  if (heard) utterance.heard = { utterance: 1, ms: 100, ...heard }
  return utterance
}

const call = { id: 'c1', name: 'look_up', args: {} }

describe('the history of a conversation', () => {
  it('holds what was heard, never what was made', () => {
    const turn = new Turn('hello')
    turn.says(said('One moment please.', { text: 'One moment', complete: false }))
    turn.says(said('Nobody heard this.', { text: ' ', complete: false }))
    turn.says(said('Nor this, yet.'))
    turn.says(said('A filler.', { text: 'A filler.', complete: true }, 'filler'))
    expect(turn.heard).toEqual([
      { role: 'caller', text: 'hello' },
      { role: 'agent', text: 'One moment', interrupted: true },
    ])
  })

  it('counts what is being said as said, for the reply that says it', () => {
    const turn = new Turn('hello')
    turn.says(said('Let me see. '))
    turn.calls(call)
    turn.results(call, { ok: true, value: 1 })
    expect(turn.underWay.map(({ role }) => role)).toEqual(['caller', 'agent', 'toolCall', 'toolResult'])
    expect(turn.underWay[1]).toMatchObject({ text: 'Let me see.' })
  })

  it('gives a call without a result one, where it stands in pairs', () => {
    const turn = new Turn('hello')
    turn.calls(call)
    expect(turn.heard.at(-1)).toMatchObject({ role: 'toolResult', id: 'c1', result: { ok: false } })
    turn.results(call, { ok: true, value: 1 })
    expect(turn.heard).toHaveLength(3)
  })

  it('forgets the oldest turns whole', () => {
    const history = new History()
    for (let i = 0; i < limits.agent.historyTurns + 5; i++) history.add(new Turn(`turn ${i}`))
    const messages = history.before(new Turn('now'))
    expect(messages).toHaveLength(limits.agent.historyTurns)
    expect(messages[0]).toEqual({ role: 'caller', text: 'turn 5' })
  })

  it('leaves out the turn that is being answered', () => {
    const history = new History()
    const turn = new Turn('now')
    history.add(new Turn('before'))
    history.add(turn)
    expect(history.before(turn)).toEqual([{ role: 'caller', text: 'before' }])
  })
})
