import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TurnSettings } from '../../src/agent/settings.ts'
import { greeting, step } from '../../src/agent/turn.ts'
import { dueMs, type TurnEffect, type TurnEvent, type TurnState } from '../../src/agent/turn-state.ts'
import { listening, settings, speaking, thinking } from './turn-table.ts'

const hangup = { kind: 'hangup' } as const
const transfer = { kind: 'handBack', reason: 'asked for a person' } as const
const away = { kind: 'transfer', wish: { destination: 'billing', by: 'agent' } } as const
/** As a business has it that has destinations. */
const withDestinations: TurnSettings = {
  ...settings,
  onFailure: 'reception',
  transferIn: ({ text, keys }) =>
    text === 'two words' || keys === '1' ? { destination: 'billing', by: 'caller' } : undefined,
}

describe('the end of a turn', () => {
  it('comes early when the words are final', () => {
    const table = listening().voice().wait(400).words('hello', true).silence()
    table.wait(settings.completeMs - 1)
    expect(table.phase).toBe('pausing')
    table.wait(1)
    expect(table.effects.slice(-2)).toEqual([{ kind: 'finishHearing' }, { kind: 'think', text: 'hello', keys: '' }])
  })

  it('waits longer for words that may go on', () => {
    const table = listening().voice().wait(400).words('I would').silence()
    expect(table.wait(settings.endOfTurnMs - 1).phase).toBe('pausing')
    expect(table.wait(1).phase).toBe('thinking')
  })

  it('is put off by a caller who goes on, and is one turn then', () => {
    const table = listening().voice().wait(400).words('I would', true, 100).silence().wait(200).voice().wait(600)
    table.words('like', false, 900).words('like tea', true, 900).silence().wait(settings.completeMs)
    expect(table.effects.at(-1)).toEqual({ kind: 'think', text: 'I would like tea', keys: '' })
  })

  it('waits for a recognizer that is slow, and listens again when there were no words', () => {
    const slow = listening().voice().wait(400).silence().wait(settings.endOfTurnMs)
    expect(slow.take()).toEqual(['finishHearing'])
    slow.wait(500).words('hello', true)
    expect(slow.wait(0).phase).toBe('thinking')

    const noise = listening().voice().wait(400).silence().wait(settings.wordsMs)
    expect(noise.phase).toBe('listening')
  })

  it('accepts words that no voice was noticed for', () => {
    const table = listening().words('hello', true)
    expect(table.wait(settings.completeMs).phase).toBe('thinking')
  })

  it('comes to a caller who never pauses', () => {
    const talker = listening().voice().words('and then')
    expect(talker.wait(settings.turnMs).take()).toEqual(['finishHearing', 'think'])
  })
})

describe('thinking', () => {
  it('is given up for a caller who goes on, and the whole turn is taken together', () => {
    const table = thinking().voice()
    expect(table.take()).toEqual(['pauseSpeech'])
    table.wait(200).words('and a cake', false, table.nowMs - 150)
    expect(table.take()).toEqual(['cancelReply'])
    table
      .words('and a cake', true, table.nowMs - 150)
      .silence()
      .wait(settings.completeMs)
    expect(table.effects.at(-1)).toEqual({ kind: 'think', text: 'hello and a cake', keys: '' })
  })

  it('goes on through a cough', () => {
    const table = thinking().voice().wait(250).silence()
    expect(table.wait(1_750).take()).toEqual(['pauseSpeech', 'resumeSpeech', 'fill'])
    expect(table.phase).toBe('thinking')
  })

  it('begins anew when the recognizer finally says something else', () => {
    const table = listening().voice().wait(400).words('I want tee', false, 700).silence().wait(settings.endOfTurnMs)
    table.take()
    expect(table.words('I want tee', true, 700).take()).toEqual([])
    table.words('and tea', true, 700)
    expect(table.effects).toEqual([
      { kind: 'cancelReply', interrupted: false },
      { kind: 'think', text: 'I want tee and tea', keys: '' },
    ])
  })

  it('commits nothing before the first of the reply is heard', () => {
    const table = thinking().wait(300)
    expect(table.take()).toEqual([])
    table.on({ kind: 'agentStarted' })
    expect(table.effects).toEqual([
      { kind: 'commit' },
      { kind: 'answered', thinkMs: 300, pauseMs: settings.completeMs },
    ])
  })

  it('is committed by a tool that changes something, but not while the caller may be going on', () => {
    expect(thinking().on({ kind: 'writeWanted' }).take()).toEqual(['commit', 'allowWrite'])

    const doubtful = thinking().voice().on({ kind: 'writeWanted' })
    expect(doubtful.take()).toEqual(['pauseSpeech'])
    doubtful.wait(100).silence().wait(1_900)
    expect(doubtful.take()).toEqual(['resumeSpeech', 'commit', 'allowWrite', 'fill'])

    const interrupted = thinking().voice().on({ kind: 'writeWanted' }).wait(settings.interruptMs)
    expect(interrupted.take()).toEqual(['pauseSpeech', 'cancelReply'])
    expect(interrupted.on({ kind: 'writeWanted' }).take()).toEqual([])
  })

  it('that is committed is not taken back: what the caller says then is a turn of its own', () => {
    const table = thinking().on({ kind: 'writeWanted' }).voice().wait(200).words('wait', true, 3_000).silence()
    table.wait(settings.completeMs)
    expect(table.effects.at(-1)).toEqual({ kind: 'think', text: 'wait', keys: '' })
  })

  it('bridges the wait, and says so when nothing comes of it', () => {
    const table = thinking().wait(settings.fillAfterMs)
    expect(table.take()).toEqual(['fill'])
    // However long the filler was, as much silence may follow it.
    table
      .wait(settings.fillAgainMs - 1)
      .on({ kind: 'fillerHeard' })
      .wait(settings.fillAgainMs - 1)
    expect(table.take()).toEqual([])
    table.wait(1)
    expect(table.effects).toEqual([{ kind: 'fill', again: true }])
    expect(table.take()).toEqual(['fill'])
    table.wait(settings.thinkMs)
    expect(table.take()).toContain('say trouble')
    expect(table.phase).toBe('speaking')
  })

  it('returns while a tool runs after the first words, and may be interrupted there', () => {
    const table = speaking().on({ kind: 'agentQuiet', replying: true })
    expect(table.phase).toBe('thinking')
    expect(table.wait(settings.fillAfterMs).take()).toEqual(['fill'])
    table.voice().wait(settings.interruptMs)
    expect(table.take()).toEqual(['pauseSpeech', 'cancelReply'])
    expect(table.phase).toBe('hearing')
  })
})

describe('an interruption', () => {
  it('pauses at once and is one after enough voice', () => {
    const table = speaking().voice()
    expect(table.take()).toEqual(['pauseSpeech'])
    expect(table.wait(settings.interruptMs - 1).take()).toEqual([])
    table.wait(1)
    expect(table.effects).toEqual([{ kind: 'cancelReply', interrupted: true }])
    expect(table.phase).toBe('hearing')
  })

  it('is one at the first word', () => {
    const table = speaking().voice().wait(300).words('stop')
    expect(table.take()).toEqual(['pauseSpeech', 'cancelReply'])
    table.wait(100).silence().wait(settings.endOfTurnMs)
    expect(table.effects.at(-1)).toEqual({ kind: 'think', text: 'stop', keys: '' })
  })

  it('is measured by when the voice was there, not by when it was noticed', () => {
    const table = speaking()
    table.on({ kind: 'voiceStarted', atMs: 5_000 }).wait(480).on({ kind: 'voiceStopped', atMs: 5_500 })
    expect(table.take()).toEqual(['pauseSpeech', 'cancelReply'])
  })

  it('adds up voice that comes in pieces', () => {
    const table = speaking().voice().wait(300).silence().wait(100).voice()
    expect(table.wait(199).take()).toEqual(['pauseSpeech'])
    expect(table.wait(1).take()).toEqual(['cancelReply'])
  })

  it('was none after two seconds: speech goes on', () => {
    const table = speaking().voice().wait(300).silence()
    expect(table.wait(1_699).take()).toEqual(['pauseSpeech'])
    expect(table.wait(1).take()).toEqual(['resumeSpeech'])
    expect(table.phase).toBe('speaking')
  })

  it('comes late when the recognizer is slow, but only if there was voice', () => {
    const slow = speaking().voice().wait(300).silence().wait(1_800)
    slow.take()
    expect(slow.words('stop', true, slow.nowMs - 2_000).take()).toEqual(['cancelReply'])
    expect(speaking().words('echo', true).take()).toEqual([])
  })

  it('is not made by the end of the turn that is being answered', () => {
    const table = speaking()
    table.voice().words('hello there', true, 1_200)
    expect(table.take()).toEqual(['pauseSpeech'])
  })

  it('without a word is followed by a question', () => {
    const table = speaking().voice().wait(600).silence().wait(settings.wordsMs)
    expect(table.take()).toEqual(['pauseSpeech', 'cancelReply', 'finishHearing', 'say trouble'])
  })

  it('is made by a key at once', () => {
    const table = speaking().on({ kind: 'digit', digit: '1' })
    expect(table.take()).toEqual(['cancelReply'])
    table.on({ kind: 'digit', digit: '2' }).wait(settings.betweenKeysMs)
    expect(table.effects.at(-1)).toEqual({ kind: 'think', text: '', keys: '12' })
  })

  it('leaves the last words before a transfer alone, and takes back a goodbye', () => {
    const transferring = speaking().on({ kind: 'endWanted', outcome: transfer }).voice().wait(600).words('thanks')
    expect(transferring.take()).toEqual([])
    expect(transferring.on({ kind: 'agentQuiet', replying: false }).effects).toEqual([
      { kind: 'end', outcome: transfer },
    ])

    const leaving = speaking().on({ kind: 'endWanted', outcome: hangup }).voice().wait(200).words('wait')
    expect(leaving.take()).toEqual(['pauseSpeech', 'cancelReply'])
    expect(leaving.phase).toBe('hearing')
  })

  it('that is still open when a transfer is decided does not stop its words', () => {
    const table = speaking().voice().on({ kind: 'endWanted', outcome: transfer })
    expect(table.take()).toEqual(['pauseSpeech', 'resumeSpeech'])
  })
})

describe('keys', () => {
  it('are a turn, ended by a pause or by #', () => {
    const slow = listening()
      .on({ kind: 'digit', digit: '4' })
      .wait(settings.betweenKeysMs - 1)
    expect(slow.phase).toBe('pausing')
    expect(slow.wait(1).phase).toBe('thinking')
    const quick = listening().on({ kind: 'digit', digit: '4' }).on({ kind: 'digit', digit: '#' }).wait(0)
    expect(quick.effects.at(-1)).toEqual({ kind: 'think', text: '', keys: '4#' })
  })
})

describe('a silent caller', () => {
  it('is asked twice and then taken leave of', () => {
    const table = listening()
    for (const phrase of ['say stillThere', 'say stillThere', 'say goodbye']) {
      expect(table.wait(8_000).take()).toEqual([phrase])
      table.on({ kind: 'agentStarted' }).on({ kind: 'agentQuiet', replying: false })
    }
    expect(table.take()).toEqual(['end'])
    expect(table.phase).toBe('ended')
  })

  it('who speaks again is asked from the beginning', () => {
    const table = listening().wait(8_000).on({ kind: 'agentQuiet', replying: false }).wait(1_000)
    table.voice().words('hello', true).silence().wait(settings.completeMs).on({ kind: 'agentStarted' })
    table.on({ kind: 'agentQuiet', replying: false })
    expect(table.state.prompts).toBe(0)
  })

  it('whose sound nobody understood is told so, and asked when it is silent after that', () => {
    const table = listening().wait(6_000).voice().wait(400).silence().wait(2_000)
    expect(table.take()).toEqual(['finishHearing', 'say trouble'])
    table.on({ kind: 'agentStarted' }).on({ kind: 'agentQuiet', replying: false })
    expect(table.wait(8_000).take()).toEqual(['say stillThere'])
  })

  it('on a line full of noise is not held for ever', () => {
    const table = listening().voice()
    for (let i = 0; i < 3; i++) {
      table.wait(settings.turnMs)
      table.on({ kind: 'agentStarted' }).on({ kind: 'agentQuiet', replying: false })
    }
    expect(table.take()).toEqual(['say trouble', 'say trouble', 'say goodbye', 'end'])
  })
})

describe('a failure', () => {
  const failed = { kind: 'failed', fatal: false } as const

  it('is spoken about, and the third in a row hands the caller back', () => {
    const table = listening()
    for (const phrase of ['say trouble', 'say trouble', 'say handingOver']) {
      table.voice().wait(300).words('hello', true).silence().wait(settings.completeMs).take()
      expect(table.on(failed).take()).toEqual(['cancelReply', 'commit', phrase])
      table.on({ kind: 'agentStarted' }).on({ kind: 'agentQuiet', replying: false })
    }
    expect(table.effects).toEqual([
      { kind: 'end', outcome: { kind: 'handBack', reason: 'engine failed', message: 'failure' } },
    ])
  })

  it('in the middle of a reply lets what was said be heard', () => {
    expect(speaking().on(failed).take()).toEqual(['say trouble'])
  })

  it('is forgotten after a reply that came about', () => {
    const table = speaking().on(failed).on({ kind: 'agentQuiet', replying: false })
    expect(table.state.failures).toBe(1)
    table.voice().words('hello', true).silence().wait(settings.completeMs).on({ kind: 'agentStarted' })
    expect(table.on({ kind: 'agentQuiet', replying: false }).state.failures).toBe(0)
  })

  it('to say even that ends the call at once', () => {
    const table = thinking().on({ kind: 'failed', fatal: true })
    expect(table.take()).toEqual(['cancelReply', 'commit', 'say handingOver'])
    expect(table.on({ kind: 'failed', fatal: true }).effects).toEqual([
      { kind: 'end', outcome: { kind: 'handBack', reason: 'engine failed', message: 'failure' } },
    ])
  })

  it('is what a reply without a sound is, unless it was to end the call', () => {
    expect(thinking().on({ kind: 'replyEmpty' }).take()).toEqual(['cancelReply', 'commit', 'say trouble'])
    const leaving = thinking().on({ kind: 'endWanted', outcome: hangup }).on({ kind: 'replyEmpty' })
    expect(leaving.take()).toEqual(['cancelReply', 'commit', 'say goodbye'])
  })
})

describe('the time of a call', () => {
  it('is told before it is over, and ends it', () => {
    const table = listening({ durationMs: 100_000, noInputMs: [1_000_000] })
    expect(table.wait(40_000).take()).toEqual(['say endingSoon'])
    table.on({ kind: 'agentStarted' }).on({ kind: 'agentQuiet', replying: false })
    expect(table.wait(60_000).take()).toEqual(['say timeOver'])
    table.voice().wait(600).words('but')
    expect(table.on({ kind: 'agentQuiet', replying: false }).effects).toEqual([{ kind: 'end', outcome: hangup }])
  })
})

describe('the last words before a transfer', () => {
  it('are not cut when the time is over', () => {
    const table = speaking({ durationMs: 60_000 }).on({ kind: 'endWanted', outcome: transfer })
    expect(table.wait(70_000).take()).toEqual([])
    expect(table.on({ kind: 'agentQuiet', replying: false }).effects).toEqual([{ kind: 'end', outcome: transfer }])
  })
})

describe('one who decides itself when it replies', () => {
  it('has taken the turn for good', () => {
    const table = listening().voice().wait(400).silence().on({ kind: 'turnTaken' })
    expect(table.take()).toEqual(['commit'])
    expect(table.words('hello', true, table.nowMs - 300).take()).toEqual([])
    expect(table.on({ kind: 'agentStarted' }).take()).toEqual(['answered'])
  })

  it('is paused when it begins while the caller still speaks', () => {
    const table = listening().voice().wait(400).on({ kind: 'agentStarted' })
    expect(table.take()).toEqual(['commit', 'pauseSpeech'])
  })
})

const event = fc.oneof(
  fc.record({ kind: fc.constant('voiceStarted' as const), atMs: fc.nat(20_000) }),
  fc.record({ kind: fc.constant('voiceStopped' as const), atMs: fc.nat(20_000) }),
  fc.record({
    kind: fc.constant('words' as const),
    text: fc.constantFrom('', 'one', 'two words'),
    final: fc.boolean(),
    startMs: fc.nat(20_000),
  }),
  fc.record({ kind: fc.constant('digit' as const), digit: fc.constantFrom('1', '#', '*') }),
  fc.record({
    kind: fc.constantFrom(
      'turnTaken' as const,
      'writeWanted' as const,
      'replyEmpty' as const,
      'held' as const,
      'unheld' as const,
      'fillerHeard' as const,
    ),
  }),
  fc.record({ kind: fc.constant('absent' as const), forMs: fc.constantFrom(0, 1_000) }),
  fc.record({ kind: fc.constant('endWanted' as const), outcome: fc.constantFrom(hangup, transfer, away) }),
  fc.record({
    kind: fc.constant('transferWanted' as const),
    wish: fc.constantFrom(away.wish, { ...away.wish, by: 'operator' as const }),
  }),
  fc.record({ kind: fc.constant('recalled' as const) }),
  fc.record({
    kind: fc.constant('transferSettled' as const),
    outcome: fc.constantFrom('connected' as const, 'busy' as const, 'cancelled' as const),
  }),
  fc.record({ kind: fc.constant('failed' as const), fatal: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('agentStarted' as const, 'timePassed' as const) }),
  fc.record({ kind: fc.constant('agentQuiet' as const), replying: fc.boolean() }),
)
const story: fc.Arbitrary<[TurnEvent, number][]> = fc.array(fc.tuple(event, fc.constantFrom(0, 20, 300, 600, 2_500)), {
  maxLength: 40,
})

const doubtAndFillerTogether: [TurnEvent, number][] = [
  [{ kind: 'voiceStarted', atMs: 0 }, 2_500],
  [{ kind: 'agentQuiet', replying: true }, settings.fillAfterMs],
  [{ kind: 'voiceStopped', atMs: 0 }, 0],
]

/** What the effects mean together, told apart from how the machine remembers it. */
class Judge {
  #paused = false
  #ended = false
  #away = false

  see(before: TurnState, after: TurnState, effects: readonly TurnEffect[]): void {
    expect(effects.length).toBeLessThanOrEqual(4)
    if (this.#ended) expect(effects).toEqual([])
    for (const effect of effects) this.#effect(effect)
    const doubt = 'doubt' in after && after.doubt !== undefined
    if (after.phase !== 'ended') expect(doubt).toBe(this.#paused)
    // Exactly while the caller is away nothing is said, thought or filled.
    if (after.phase !== 'ended') expect(this.#away).toBe(after.phase === 'away')
    if (before.phase === 'thinking' && before.committed && after.phase === 'thinking')
      expect(after.committed).toBe(true)
  }

  #effect(effect: TurnEffect): void {
    switch (effect.kind) {
      case 'pauseSpeech':
        expect(this.#paused).toBe(false)
        this.#paused = true
        return
      case 'resumeSpeech':
        expect(this.#paused).toBe(true)
        this.#paused = false
        return
      case 'cancelReply':
        this.#paused = false
        return
      case 'think':
      case 'unanswered':
        expect(this.#away).toBe(false)
        expect(effect.text + effect.keys).not.toBe('')
        return
      case 'allowWrite':
      case 'fill':
        return expect(this.#paused).toBe(false)
      case 'answered':
        expect(Math.min(effect.thinkMs, effect.pauseMs)).toBeGreaterThanOrEqual(0)
        return
      case 'end':
        this.#ended = true
        return
      case 'transfer':
        expect([this.#away, this.#paused]).toEqual([false, false])
        this.#away = true
        return
      case 'back':
        expect(this.#away).toBe(true)
        this.#away = false
        return
      case 'recall':
        return expect(this.#away).toBe(true)
      case 'tellOutcome':
        return expect(this.#away).toBe(false)
      case 'commit':
      case 'finishHearing':
      case 'press':
        return
      case 'say':
        return expect(this.#away).toBe(false)
    }
  }
}

describe('whatever happens', () => {
  it.each([
    ['without destinations', settings],
    ['with destinations', withDestinations],
  ])('no effect comes at the wrong time, and every state leaves by itself: %s', (_, settings) => {
    fc.assert(
      fc.property(story, steps => {
        let nowMs = 0
        let state = greeting(nowMs, settings)
        const judge = new Judge()
        const on = (happened: TurnEvent) => {
          const [next, effects] = step(state, happened, nowMs, settings)
          judge.see(state, next, effects)
          state = next
          return effects
        }
        for (const [happened, waitMs] of steps) {
          on(happened)
          nowMs += waitMs
        }
        let rounds = 0
        while (state.phase !== 'ended') {
          const before = state
          expect(dueMs(before)).toBeLessThan(Number.POSITIVE_INFINITY)
          nowMs = Math.max(nowMs, dueMs(before))
          on({ kind: 'timePassed' })
          // Each look at a due state brings it on. Two things may be due at the same moment, such as a doubt and a filler.
          if (dueMs(state) === dueMs(before)) expect(state).not.toEqual(before)
          expect(rounds++).toBeLessThan(200)
        }
      }),
      { numRuns: 1_500, examples: [[doubtAndFillerTogether]] },
    )
  })

  it('each phase is one that the stories reach', () => {
    const reached = new Set<string>()
    fc.assert(
      fc.property(story, steps => {
        let nowMs = 0
        let state = greeting(nowMs, settings)
        for (const [happened, waitMs] of steps) {
          state = step(state, happened, nowMs, settings)[0]
          reached.add(`${state.phase}${'doubt' in state && state.doubt ? ' in doubt' : ''}`)
          nowMs += waitMs
        }
      }),
      { numRuns: 300, seed: 1 },
    )
    expect([...reached].sort()).toEqual([
      'away',
      'ended',
      'hearing',
      'listening',
      'pausing',
      'speaking',
      'speaking in doubt',
      'thinking',
      'thinking in doubt',
    ])
  })
})

describe('keys in a turn that somebody else takes', () => {
  const pressed = () => listening().on({ kind: 'digit', digit: '4' })

  it('belong to it', () => {
    const table = pressed().on({ kind: 'turnTaken' })
    expect(table.phase).toBe('thinking')
    expect(table.effects.at(-1)).toEqual({ kind: 'press', keys: '4' })
  })

  it('are answered behind what has begun already', () => {
    const table = pressed().on({ kind: 'agentStarted' })
    expect(table.phase).toBe('speaking')
    expect(table.effects.at(-1)).toEqual({ kind: 'think', text: '', keys: '4' })
  })
})

describe('what the caller has said and nobody will answer', () => {
  const unanswered = { kind: 'unanswered', text: 'hello', keys: '4' }
  const pausing = () => listening().words('hello', true).on({ kind: 'digit', digit: '4' })

  it('is told when the time is over', () => {
    const table = pausing()
    table.nowMs = table.state.endsMs
    table.on({ kind: 'timePassed' })
    expect(table.effects).toEqual([unanswered, { kind: 'say', phrase: 'timeOver' }])
  })

  it('is told when the conversation cannot go on, also when they are still speaking', () => {
    const table = pausing().voice().on({ kind: 'failed', fatal: true })
    expect(table.effects).toEqual([unanswered, { kind: 'say', phrase: 'handingOver' }])
  })
})

describe('one who hears nothing for now', () => {
  it('is busy until it is quiet again, and bridges that', () => {
    const table = listening()
      .on({ kind: 'absent', forMs: 1_000 })
      .wait(settings.fillAfterMs - 1_001)
    expect(table.take()).toEqual([])
    table.wait(1)
    expect(table.take()).toEqual(['fill'])
    table.on({ kind: 'agentQuiet', replying: false })
    expect(table.phase).toBe('listening')
    expect(table.take()).toEqual([])
  })

  it('goes on with what it was saying', () => {
    const table = speaking().on({ kind: 'absent', forMs: 0 })
    expect(table.phase).toBe('speaking')
    expect(table.on({ kind: 'agentQuiet', replying: true }).phase).toBe('thinking')
  })
})

describe('a caller who puts us on hold', () => {
  it('is asked nothing meanwhile, and has time again when they are back', () => {
    const noInputMs = settings.noInputMs[0]!
    const table = listening().wait(1_000).on({ kind: 'held' }).wait(60_000)
    expect(table.take()).toEqual([])
    table.on({ kind: 'unheld' }).wait(noInputMs - 1)
    expect(table.take()).toEqual([])
    expect(table.wait(1).take()).toEqual(['say stillThere'])
  })
})
