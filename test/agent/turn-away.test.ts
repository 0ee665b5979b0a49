import { describe, expect, it } from 'vitest'
import type { TransferOutcome } from '../../src/call/events.ts'
import type { TransferWish } from '../../src/call/ports.ts'
import { listening, settings, speaking, type Table, thinking } from './turn-table.ts'

const asked: TransferWish = { destination: 'billing', by: 'caller', reason: 'connect me with billing' }
const byAgent: TransferWish = { destination: 'billing', by: 'agent', reason: 'A question about a bill.' }
const byKey: TransferWish = { destination: 'reception', by: 'key' }
const transferIn = ({ text, keys }: { text: string; keys: string }) =>
  keys === '0' ? byKey : text.includes('billing') ? asked : undefined

const quiet = { kind: 'agentQuiet', replying: false } as const
const wanted = (wish: TransferWish) => ({ kind: 'endWanted', outcome: { kind: 'transfer', wish } }) as const
const settled = (outcome: TransferOutcome) => ({ kind: 'transferSettled', outcome }) as const

function away(wish = byAgent, changes: Parameters<typeof speaking>[0] = {}): Table {
  const table = speaking({ transferIn, ...changes })
    .on(wanted(wish))
    .on(quiet)
  expect(table.phase).toBe('away')
  expect(table.effects.splice(0)).toEqual([{ kind: 'transfer', wish }])
  return table
}

describe('a transfer', () => {
  it('begins when the last words were heard', () => {
    const table = speaking().on(wanted(byAgent))
    expect(table.take()).toEqual([])
    expect(table.on(quiet).effects).toEqual([{ kind: 'transfer', wish: byAgent }])
  })

  it('has last words, also when the model has none', () => {
    const table = thinking().on(wanted(byAgent)).on({ kind: 'replyEmpty' })
    expect(table.take()).toEqual(['cancelReply', 'commit', 'say handingOver'])
    expect(table.on({ kind: 'agentStarted' }).on(quiet).take()).toEqual(['transfer'])
  })

  it('that the model wants is taken back by a caller who interrupts its last words', () => {
    const table = speaking().on(wanted(byAgent)).voice().wait(600).words('no wait', true).silence()
    expect(table.take()).toEqual(['pauseSpeech', 'cancelReply'])
    expect(table.wait(settings.completeMs).phase).toBe('thinking')
  })

  it('that was promised in the very last moment is not kept up by a noise', () => {
    const table = speaking().on(wanted(byAgent)).voice().on(quiet)
    expect(table.take()).toEqual(['pauseSpeech', 'resumeSpeech', 'transfer'])
  })

  it('that nobody tells to be over comes all the same, and what was being said is dropped', () => {
    const table = speaking().on(wanted(byAgent)).wait(settings.speechMs)
    expect(table.take()).toEqual(['cancelReply', 'transfer'])
  })
})

describe('a clear wish of the caller', () => {
  it('is fulfilled whatever the model would say, and is what the caller has said', () => {
    const table = listening({ transferIn }).voice().wait(400).words('connect me with billing', true).silence()
    table.wait(settings.completeMs)
    expect(table.effects).toEqual([
      { kind: 'unanswered', text: 'connect me with billing', keys: '' },
      { kind: 'say', phrase: 'handingOver' },
    ])
    table.effects = []
    // Nothing that is said meanwhile takes it back.
    table.on({ kind: 'agentStarted' }).voice().wait(600).words('thanks').silence()
    expect(table.take()).toEqual([])
    expect(table.on(quiet).effects).toEqual([{ kind: 'transfer', wish: asked }])
  })

  it('is understood also when its last word comes late', () => {
    const table = listening({ transferIn }).voice().wait(400).words('connect me with', false, 1_500).silence()
    table.wait(settings.endOfTurnMs)
    expect(table.phase).toBe('thinking')
    table.take()
    table.words('connect me with billing', true, 1_500)
    expect(table.take()).toEqual(['cancelReply', 'unanswered', 'say handingOver'])
  })

  it('is told by one who hears, thinks and speaks whenever it knows', () => {
    const table = speaking().on({ kind: 'transferWanted', wish: asked })
    expect(table.take()).toEqual(['cancelReply', 'say handingOver'])
    // And once more, and by a tool of a reply that nobody wants.
    table.on({ kind: 'transferWanted', wish: asked }).on(wanted(byAgent))
    expect(table.on({ kind: 'agentStarted' }).on(quiet).effects).toEqual([{ kind: 'transfer', wish: asked }])
  })

  it('makes certain what the model has begun', () => {
    const table = speaking().on(wanted(byAgent)).on({ kind: 'transferWanted', wish: asked })
    expect(table.take()).toEqual([])
    expect(table.voice().wait(600).on(quiet).effects).toEqual([{ kind: 'transfer', wish: byAgent }])
  })

  it('is a key that stands alone, and no digit of a number', () => {
    const alone = listening({ transferIn }).on({ kind: 'digit', digit: '0' }).wait(settings.betweenKeysMs)
    expect(alone.take()).toEqual(['unanswered', 'say handingOver'])
    const interrupting = speaking({ transferIn }).on({ kind: 'digit', digit: '0' }).wait(settings.betweenKeysMs)
    expect(interrupting.take()).toEqual(['cancelReply', 'unanswered', 'say handingOver'])
    const number = listening({ transferIn }).on({ kind: 'digit', digit: '0' }).on({ kind: 'digit', digit: '4' })
    expect(number.wait(settings.betweenKeysMs).take()).toEqual(['finishHearing', 'think'])
  })
})

describe('an operator', () => {
  const operator: TransferWish = { destination: 'reception', by: 'operator' }

  it('may want it while anything is being said, but not against what was promised', () => {
    for (const table of [listening(), thinking(), speaking(), listening().voice()]) {
      table.on({ kind: 'transferWanted', wish: operator })
      expect(table.take().at(-1)).toBe('say handingOver')
      expect(table.on({ kind: 'agentStarted' }).on(quiet).effects.at(-1)).toEqual({ kind: 'transfer', wish: operator })
    }
    const leaving = speaking().on({ kind: 'endWanted', outcome: { kind: 'handBack', reason: 'asked for a person' } })
    expect(leaving.on({ kind: 'transferWanted', wish: operator }).take()).toEqual([])
  })

  it('takes back what was announced, and so does the caller by the key', () => {
    for (const event of [{ kind: 'recalled' } as const, { kind: 'digit', digit: '*' } as const]) {
      const table = listening().on({ kind: 'transferWanted', wish: operator }).on({ kind: 'agentStarted' })
      table.take()
      expect(table.on(event).take()).toEqual(['cancelReply', 'say broughtBack'])
      expect(table.on({ kind: 'agentStarted' }).on(quiet).phase).toBe('listening')
      expect(table.take()).toEqual([])
    }
    const dead = speaking({ onFailure: 'reception' }).on({ kind: 'failed', fatal: true })
    dead.take()
    expect(dead.on({ kind: 'recalled' }).take()).toEqual([])
  })

  it('has the caller back', () => {
    expect(away().on({ kind: 'recalled' }).take()).toEqual(['recall'])
    expect(listening().on({ kind: 'recalled' }).take()).toEqual([])
  })
})

describe('a caller who is away', () => {
  it('is neither heard nor spoken to, for as long as it takes', () => {
    const table = away()
    table.voice().wait(600).words('hello', true).silence().on({ kind: 'digit', digit: '5' })
    table.on({ kind: 'agentStarted' }).on(quiet).on({ kind: 'turnTaken' }).on({ kind: 'absent', forMs: 0 })
    table.on({ kind: 'transferWanted', wish: asked }).on({ kind: 'failed', fatal: false }).wait(120_000)
    expect(table.take()).toEqual([])
    expect(table.phase).toBe('away')
  })

  it('is back by a key, and hears so at once', () => {
    const table = away().on({ kind: 'digit', digit: '*' }).on({ kind: 'digit', digit: '*' })
    expect(table.take()).toEqual(['recall'])
    expect(table.on(settled('cancelled')).take()).toEqual(['back', 'say broughtBack', 'tellOutcome'])
  })

  it.each(['busy', 'noAnswer', 'rejected', 'declined', 'unreachable', 'noPort', 'failed'] as const)(
    'is back after %s, and the engine knows',
    outcome => {
      const table = away().wait(20_000).on(settled(outcome))
      expect(table.effects).toEqual([
        { kind: 'back' },
        { kind: 'say', phrase: 'notReached' },
        { kind: 'tellOutcome', wish: byAgent, outcome },
      ])
      table.effects = []
      // The phrase is heard, then the reply, and then it is the caller's turn.
      table.on({ kind: 'agentStarted' }).on({ kind: 'agentQuiet', replying: true })
      expect(table.phase).toBe('thinking')
      expect(table.on({ kind: 'agentStarted' }).on(quiet).phase).toBe('listening')
      expect(table.take()).toEqual([])
    },
  )

  it('may be transferred once more', () => {
    const table = away().on(settled('busy')).on({ kind: 'agentStarted' }).on(quiet)
    table.take()
    table
      .voice()
      .wait(300)
      .words('then reception', true)
      .silence()
      .wait(settings.completeMs)
      .on({ kind: 'agentStarted' })
    expect(table.on(wanted(byKey)).on(quiet).take()).toEqual([
      'finishHearing',
      'think',
      'commit',
      'answered',
      'transfer',
    ])
  })

  it('is with the destination: the agent’s part is over', () => {
    const table = away().on(settled('connected'))
    expect(table.effects).toEqual([{ kind: 'end', outcome: { kind: 'transferred' } }])
    expect(table.phase).toBe('ended')
  })

  it('who has gone is spoken to by nobody', () => {
    const table = away().on(settled('callerGone'))
    expect(table.take()).toEqual([])
    expect(table.phase).toBe('away')
  })

  it('is wanted back when the time of the call is over, and told so', () => {
    const table = away(byAgent, { durationMs: 100_000 })
    table.wait(table.state.endsMs - table.nowMs)
    expect(table.take()).toEqual(['recall'])
    table.on(settled('cancelled')).wait(0)
    expect(table.take()).toEqual(['back', 'say broughtBack', 'tellOutcome', 'cancelReply', 'say timeOver'])
  })

  it('whom nobody gives back in time is ours all the same', () => {
    const table = away().wait(settings.awayMs)
    expect(table.take()).toEqual(['recall'])
    expect(table.wait(settings.recallMs).take()).toEqual(['back', 'say notReached', 'tellOutcome'])
    // Unless they are with the destination in the end.
    expect(table.on(settled('busy')).phase).toBe('thinking')
    expect(table.on(settled('connected')).effects).toEqual([{ kind: 'end', outcome: { kind: 'transferred' } }])
  })
})

describe('an engine that has failed', () => {
  const onFailure = 'reception'
  const instead = { destination: onFailure, by: 'failure', mode: 'blind' } as const
  const fatal = { kind: 'failed', fatal: true } as const
  const handBack = { kind: 'end', outcome: { kind: 'handBack', reason: 'engine failed', message: 'failure' } }

  it('leaves the caller to the destination for that, and to the fallback when that does not come about', () => {
    const table = thinking({ onFailure }).on(fatal)
    expect(table.take()).toEqual(['cancelReply', 'commit', 'say handingOver'])
    expect(table.on({ kind: 'agentStarted' }).on(quiet).effects.splice(0)).toEqual([
      { kind: 'transfer', wish: instead },
    ])
    expect(table.on(settled('busy')).take()).toEqual(['back', 'say notReached'])
    expect(table.on({ kind: 'agentStarted' }).on(quiet).effects).toEqual([handBack])
  })

  it('does so at once when not even that can be said', () => {
    const table = thinking({ onFailure }).on(fatal).on(fatal)
    expect(table.take()).toEqual(['cancelReply', 'commit', 'say handingOver', 'transfer'])
  })

  it('lets the last words be heard when they have begun', () => {
    const table = thinking({ onFailure }).on(fatal).on({ kind: 'agentStarted' }).on(fatal)
    expect(table.take()).toEqual(['cancelReply', 'commit', 'say handingOver'])
    expect(table.on(quiet).take()).toEqual(['transfer'])
  })

  it('keeps what it has promised', () => {
    const table = speaking({ onFailure }).on(wanted(byAgent)).on(fatal)
    expect(table.take()).toEqual(['cancelReply', 'say handingOver'])
    expect(table.on(quiet).effects).toEqual([{ kind: 'transfer', wish: byAgent }])
  })

  it('while the caller is away has nothing to tell them afterwards', () => {
    const table = away(byAgent, { onFailure }).on(fatal)
    expect(table.take()).toEqual([])
    expect(table.on(settled('busy')).take()).toEqual(['back', 'say notReached'])
    expect(table.on(quiet).effects.splice(0)).toEqual([{ kind: 'transfer', wish: instead }])
    expect(table.on(settled('noAnswer')).on(quiet).effects.at(-1)).toEqual(handBack)
  })

  it('does not try again whom it has just tried', () => {
    const table = away({ ...byAgent, destination: onFailure }, { onFailure })
      .on(fatal)
      .on(settled('busy'))
    table.effects = []
    expect(table.on(quiet).effects).toEqual([handBack])
  })
})
