import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  asking,
  dueMs,
  type MessageEffect,
  type MessageEvent,
  type MessageSettings,
  type MessageState,
  step,
} from '../../src/agent/message-machine.ts'
import '../support/properties.ts'

const settings: MessageSettings = {
  key: '#',
  silenceMs: 5_000,
  maxMs: 60_000,
  leastMs: 700,
  wordsMs: 30_000,
  keepMs: 4_000,
}

/** A message without anybody: due moments are met to the millisecond. */
class Table {
  nowMs = 1_000
  state: MessageState = asking(this.nowMs, settings)
  effects: MessageEffect[] = []

  on(event: MessageEvent): this {
    const [state, effects] = step(this.state, event, this.nowMs, settings)
    this.state = state
    this.effects.push(...effects)
    return this
  }

  wait(ms: number): this {
    const untilMs = this.nowMs + ms
    for (let at = dueMs(this.state, settings); at <= untilMs; at = dueMs(this.state, settings)) {
      this.nowMs = Math.max(this.nowMs, at)
      this.on({ kind: 'timePassed' })
    }
    this.nowMs = untilMs
    return this
  }

  says(ms: number): this {
    const atMs = this.nowMs
    return this.on({ kind: 'voiceStarted', atMs }).wait(ms).on({ kind: 'voiceStopped', atMs: this.nowMs })
  }

  take(): string[] {
    return this.effects.splice(0).map(each => {
      if (each.kind === 'say') return `say ${each.words}`
      if (each.kind === 'keep') return `keep ${each.ended}${each.worth ? '' : ' nothing'}`
      return each.kind === 'end' ? `end ${each.asked ? 'asked' : 'unasked'}` : each.kind
    })
  }
}

function recording(): Table {
  const table = new Table().on({ kind: 'heard', words: 'greeting' }).on({ kind: 'heard', words: 'tone' })
  expect(table.take()).toEqual(['say tone', 'record'])
  return table
}

describe('a message', () => {
  it('is greeted, recorded after a tone, kept, and then thanked for', () => {
    const table = recording().wait(1_000).says(3_000)
    expect(table.take()).toEqual([])
    expect(table.wait(5_000).take()).toEqual(['keep silence'])
    expect(table.on({ kind: 'kept', safe: true }).take()).toEqual(['say thanks'])
    expect(table.on({ kind: 'heard', words: 'thanks' }).take()).toEqual(['end asked'])
  })

  it('is over after its silence, and not while somebody speaks', () => {
    const table = recording().wait(4_999).says(20_000).wait(4_999)
    expect(table.take()).toEqual([])
    expect(table.wait(1).take()).toEqual(['keep silence'])
  })

  it('is over by the key, whose other keys are nothing', () => {
    const table = recording().says(2_000).on({ kind: 'key', key: '1' })
    expect(table.take()).toEqual([])
    expect(table.on({ kind: 'key', key: '#' }).take()).toEqual(['keep key'])
  })

  it('is over at its limit, also in the middle of a word', () => {
    const table = recording()
    table.on({ kind: 'voiceStarted', atMs: table.nowMs }).wait(59_999)
    expect(table.take()).toEqual([])
    expect(table.wait(1).take()).toEqual(['keep limit'])
    expect(recording().says(900).on({ kind: 'stopped', why: 'limit' }).take()).toEqual(['keep limit'])
  })

  it('is kept when the caller hangs up, who is thanked for nothing', () => {
    const table = recording().says(2_000).on({ kind: 'gone' })
    expect(table.take()).toEqual(['keep hungUp'])
    expect(table.on({ kind: 'kept', safe: true }).take()).toEqual(['end asked'])
    const later = recording().says(2_000).on({ kind: 'key', key: '#' }).on({ kind: 'gone' })
    later.take()
    expect(later.on({ kind: 'kept', safe: true }).take()).toEqual(['end asked'])
  })

  it('is none without a voice of some length after the tone', () => {
    expect(recording().says(699).on({ kind: 'gone' }).take()).toEqual(['keep hungUp nothing'])
    expect(recording().wait(5_000).take()).toEqual(['keep silence nothing'])
    // What was said over the tone is no part of it.
    const early = new Table().on({ kind: 'heard', words: 'greeting' })
    early.on({ kind: 'voiceStarted', atMs: early.nowMs }).wait(2_000).on({ kind: 'heard', words: 'tone' })
    early.wait(600).on({ kind: 'voiceStopped', atMs: early.nowMs }).take()
    expect(early.on({ kind: 'key', key: '#' }).take()).toEqual(['keep key nothing'])
    // And one who speaks still has said what they have.
    const on = recording()
    expect(on.on({ kind: 'voiceStarted', atMs: on.nowMs }).wait(700).on({ kind: 'key', key: '#' }).take()).toEqual([
      'keep key',
    ])
  })

  it('has no thanks when it was cut, or may not be safe', () => {
    const cut = recording().says(2_000).on({ kind: 'stopped', why: 'cut' })
    expect(cut.take()).toEqual(['keep cut'])
    expect(cut.on({ kind: 'kept', safe: true }).take()).toEqual(['say excuse'])
    const unsafe = recording().says(2_000).on({ kind: 'key', key: '#' }).on({ kind: 'kept', safe: false })
    expect(unsafe.take()).toEqual(['keep key', 'say excuse'])
    const slow = recording().says(2_000).on({ kind: 'key', key: '#' }).wait(4_000)
    expect(slow.take()).toEqual(['keep key', 'say excuse'])
    expect(slow.on({ kind: 'kept', safe: true }).take()).toEqual([])
  })

  it('is not asked for by nobody, and does without a tone', () => {
    expect(new Table().on({ kind: 'unsaid', words: 'greeting' }).take()).toEqual(['end unasked'])
    const table = new Table().on({ kind: 'heard', words: 'greeting' }).on({ kind: 'unsaid', words: 'tone' })
    expect(table.take()).toEqual(['say tone', 'record'])
  })

  it('comes at once by the key, and what was being said is over late and counts no more', () => {
    const table = new Table().wait(500).on({ kind: 'key', key: '#' })
    expect(table.take()).toEqual(['hush', 'say tone'])
    table.on({ kind: 'heard', words: 'greeting' }).on({ kind: 'key', key: '#' })
    expect(table.take()).toEqual([])
    expect(table.on({ kind: 'heard', words: 'tone' }).take()).toEqual(['record'])
  })
})

const words = fc.constantFrom('greeting' as const, 'tone' as const, 'thanks' as const, 'excuse' as const)
const happening: fc.Arbitrary<(nowMs: number) => MessageEvent> = fc.oneof(
  words.map(each => () => ({ kind: 'heard' as const, words: each })),
  words.map(each => () => ({ kind: 'unsaid' as const, words: each })),
  fc.constantFrom('#', '1').map(key => () => ({ kind: 'key' as const, key })),
  fc.nat(400).map(ago => (nowMs: number) => ({ kind: 'voiceStarted' as const, atMs: nowMs - ago })),
  fc.nat(400).map(ago => (nowMs: number) => ({ kind: 'voiceStopped' as const, atMs: nowMs - ago })),
  fc.constantFrom('limit' as const, 'cut' as const).map(why => () => ({ kind: 'stopped' as const, why })),
  fc.boolean().map(safe => () => ({ kind: 'kept' as const, safe })),
  fc.constant(() => ({ kind: 'timePassed' as const })),
  fc.constant(() => ({ kind: 'gone' as const })),
)

it('whatever happens in whatever order: kept once, thanked for what is safe alone, and over in time', () => {
  const story = fc.array(fc.tuple(happening, fc.nat(3_000)), { maxLength: 40 })
  fc.assert(
    fc.property(story, events => {
      const table = new Table()
      let gone = false
      let safe = false
      for (const [event, ms] of events) {
        const before = table.state.phase
        const now = event(table.nowMs)
        const told = table.effects.length
        table.on(now)
        safe ||= before === 'keeping' && now.kind === 'kept' && now.safe
        gone ||= now.kind === 'gone'
        for (const effect of table.effects.slice(told)) {
          if (effect.kind === 'say' && effect.words === 'thanks') expect(safe).toBe(true)
          if (effect.kind === 'say') expect(gone).toBe(false)
        }
        table.wait(ms)
      }
      table.wait(2 * settings.wordsMs + settings.maxMs + settings.keepMs + settings.wordsMs)
      const kinds = table.effects.map(({ kind }) => kind)
      const count = (kind: MessageEffect['kind']) => kinds.filter(each => each === kind).length
      expect(table.state.phase).toBe('over')
      expect(count('end')).toBe(1)
      expect(kinds.at(-1)).toBe('end')
      expect(count('keep')).toBe(count('record'))
      expect(count('record')).toBeLessThanOrEqual(1)
    }),
    { numRuns: 500 },
  )
})
