import { describe, expect, it } from 'vitest'
import { Pace } from '../../../src/agent/captions.ts'
import { GatewayError } from '../../../src/errors.ts'
import { limits } from '../../../src/limits.ts'
import { httpAddress, sessionAddress } from '../../../src/providers/openai/address.ts'
import { judgeOpening, meaningOf, namedError } from '../../../src/providers/openai/failures.ts'
import { cutAfter, Memory, Said } from '../../../src/providers/openai/items.ts'
import { readEvent } from '../../../src/providers/openai/protocol.ts'
import { ANSWER, Responses } from '../../../src/providers/openai/responses.ts'
import { Refusal } from '../../../src/providers/openai/wire.ts'
import { paramsOf, restOf } from '../../../src/providers/openai/wishes.ts'

describe('where a session is opened', () => {
  it.each([
    ['https://api.openai.com', 'wss://api.openai.com/v1/realtime?model=m'],
    ['https://api.openai.com/v1', 'wss://api.openai.com/v1/realtime?model=m'],
    ['http://127.0.0.1:8090/v1/', 'ws://127.0.0.1:8090/v1/realtime?model=m'],
    ['wss://speech.example.org/api', 'wss://speech.example.org/api/v1/realtime?model=m'],
    ['ws://[::1]:9', 'ws://[::1]:9/v1/realtime?model=m'],
  ])('%s', (base, address) => {
    expect(sessionAddress(base, 'm').href).toBe(address)
  })
})

it('the same server is asked by HTTP, whichever way its address is written', () => {
  expect(httpAddress('wss://api.example.org/v1')).toBe('https://api.example.org')
  expect(httpAddress('ws://127.0.0.1:8090')).toBe('http://127.0.0.1:8090')
})

describe('a frame', () => {
  it.each([
    '',
    'null',
    '[]',
    '{',
    '{"type":7}',
    '{"type":"response.output_audio.delta","item_id":"a","response_id":"r"}',
    '{"type":"input_audio_buffer.speech_started","item_id":"a","audio_start_ms":"0"}',
    '{"type":"response.done","response":null}',
    '{"type":"error"}',
  ])('is no event: %s', frame => {
    expect(readEvent(frame)).toBeUndefined()
  })

  it('is known by its new name, and may be of a kind that nobody knows', () => {
    const delta = '{"type":"response.audio.delta","item_id":"a","response_id":"r","delta":""}'
    expect(readEvent(delta)?.type).toBe('response.output_audio.delta')
    expect(readEvent('{"type":"toString"}')?.type).toBe('toString')
  })
})

describe('responses', () => {
  it('are asked for one at a time, in order', () => {
    const responses = new Responses()
    const [one, two, three] = [{ words: 'one' }, { words: 'two' }, { instructions: 'three' }]
    expect(responses.ask(one)).toBe(one)
    expect([responses.ask(two), responses.ask(three)]).toEqual([undefined, undefined])
    expect(responses.created('r1')).toBe(true)
    expect(responses.wants('r1')).toBe(true)
    expect(responses.over()).toBe(two)
    expect(responses.over()).toBe(three)
    expect(responses.over()).toBeUndefined()
  })

  it('that are cancelled count until they are over; nothing of them is wanted, nor what waited behind them', () => {
    const responses = new Responses()
    responses.ask({})
    responses.ask({ words: 'never' })
    expect(responses.cancel()).toBe(true)
    expect(responses.cancel()).toBe(false)
    expect(responses.created('r1')).toBe(false)
    expect(responses.ask({ words: 'next' })).toBeUndefined()
    expect(responses.wants('r1')).toBe(false)
    expect(responses.over()).toEqual({ words: 'next' })
  })

  it('that the server begins by itself are the active one', () => {
    const responses = new Responses()
    expect(responses.created('r1')).toBe(true)
    expect(responses.ask({})).toBeUndefined()
  })

  it('that the server has begun before ours are the answer; what else was asked for waits for their end', () => {
    const responses = new Responses()
    responses.ask(ANSWER)
    responses.preceded()
    expect([responses.created('own'), responses.over()]).toEqual([true, undefined])
    for (const told of ['before', 'after'] as const) {
      const wish = { words: 'one' }
      responses.ask(wish)
      responses.ask({ words: 'two' })
      if (told === 'before') responses.created('own')
      responses.preceded()
      if (told === 'after') responses.created('own')
      expect(responses.wants('own')).toBe(true)
      expect(responses.over()).toBe(wish)
      expect([responses.over(), responses.over()]).toEqual([{ words: 'two' }, undefined])
    }
  })

  it('that nobody wants any more do not come back when they are refused', () => {
    const responses = new Responses()
    responses.ask({ words: 'one' })
    responses.cancel()
    responses.preceded()
    expect(responses.created('own')).toBe(false)
    expect(responses.over()).toBeUndefined()
  })

  it('are not wanted without end', () => {
    const responses = new Responses()
    for (let n = 0; n <= limits.openai.waitingResponses + 1; n++) responses.ask({ words: String(n) })
    let waiting = -1
    for (let next = responses.over(); next; next = responses.over()) waiting += 1
    expect(waiting).toBe(limits.openai.waitingResponses - 1)
  })

  it('tell what is left of them when the connection is lost', () => {
    const responses = new Responses()
    responses.ask({ words: 'a' })
    responses.created('r1')
    responses.gave('r1')
    responses.ask({ words: 'b' })
    expect(responses.lost()).toEqual({ id: 'r1', wish: { words: 'a' }, begun: true })
    expect(responses.expected).toBeUndefined()
  })

  it('that are wished for while there is no connection wait for it, and are taken back as any other', () => {
    const responses = new Responses()
    expect(responses.lost()).toBeUndefined()
    expect(responses.ask({ words: 'b' })).toBeUndefined()
    responses.askFirst({ words: 'the rest of a' })
    expect(responses.restored()).toEqual({ words: 'the rest of a' })
    responses.lost()
    responses.ask({ words: 'c' })
    responses.cancel()
    expect(responses.restored()).toBeUndefined()
  })
})

describe('an interruption cuts an item', () => {
  it.each([
    [0, 500, false, { kind: 'delete' }],
    [0.9, 500, true, { kind: 'delete' }],
    [120.7, 500, false, { kind: 'truncate', audioEndMs: 120 }],
    [700, 500.5, false, { kind: 'truncate', audioEndMs: 500 }],
    [500, 500.5, true, { kind: 'nothing' }],
    [499, 500, true, { kind: 'truncate', audioEndMs: 499 }],
  ] as const)('after %s ms of %s, all there: %s', (heardMs, receivedMs, ended, cut) => {
    expect(cutAfter(heardMs, { receivedMs, ended })).toEqual(cut)
  })
})

describe('words and their sound', () => {
  it('go together as far as the sound has come; the rest is known to be left', () => {
    const said = new Said('r', new Pace())
    said.words('one two three four')
    expect(said.heard(65 * 8)).toBe('one two')
    expect(said.parts).toEqual({ told: 'one two', untold: ' three four' })
    said.allWords('one two three four five')
    expect(said.end()).toBe(' three four five')
  })
})

describe('a failure to open', () => {
  const opening = (error: unknown, leftMs = 6_000) => judgeOpening(error, 1, leftMs)

  it.each([
    [401, 'OPENAI_API_KEY'],
    [403, 'rights'],
    [404, 'OPENAI_REALTIME_MODEL'],
    [400, '400'],
  ])('%s is final, and says what to do', (status, remedy) => {
    const verdict = opening(new Refusal(status, undefined))
    expect(verdict.kind).toBe('giveUp')
    expect(verdict.error.message).toContain(remedy)
  })

  it('429 is tried again when the server wants it, unless that is too late for the caller', () => {
    expect(opening(new Refusal(429, '1'))).toMatchObject({ kind: 'again', afterMs: 1_000 })
    expect(opening(new Refusal(429, '30'))).toMatchObject({ kind: 'giveUp' })
    expect(opening(new Refusal(429, 'Thu, 01 Jan'))).toMatchObject({ kind: 'again', afterMs: 250 })
  })

  it('5xx and a broken connection are tried again, less and less often', () => {
    const error = new GatewayError('ENGINE_FAILED', 'lost', { retryable: true })
    const waits = [1, 2, 3, 4, 5].map(attempt => judgeOpening(error, attempt, 60_000))
    expect(waits.map(each => each.kind === 'again' && each.afterMs)).toEqual([250, 500, 1_000, 2_000, 2_000])
    expect(opening(new Refusal(503, undefined))).toMatchObject({ kind: 'again' })
    expect(opening(new Error('secret'))).toMatchObject({
      kind: 'again',
      error: { message: expect.not.stringContaining('secret') },
    })
  })
})

describe('an error event', () => {
  it.each([
    ['session_expired', 'sessionOver'],
    ['insufficient_quota', 'fatal'],
    ['invalid_api_key', 'fatal'],
    ['response_cancel_not_active', 'pointless'],
    ['whatever_comes_next', 'pointless'],
  ])('%s: %s', (code, meaning) => {
    expect(meaningOf({ code, type: 'invalid_request_error', message: '' })).toBe(meaning)
  })

  it('is told by its code alone, and only if that is one', () => {
    expect(namedError({ code: 'rate_limit_exceeded' })).toBe('rate_limit_exceeded')
    expect(namedError({ code: 'he said: my name is' })).toBe('unnamed')
  })
})

describe('what is left of a wish when the connection was lost', () => {
  const words = { words: 'one two three four' }

  it('is all of it when nothing had come', () => {
    expect(restOf(words, false, { told: '', untold: '' }, '')).toBe(words)
  })

  it('are the words whose sound had not come', () => {
    expect(restOf(words, true, { told: 'one two ', untold: 'three' }, '')).toEqual({ words: 'three four' })
    expect(restOf(words, true, { told: 'One, two', untold: ' three four' }, '')).toEqual({ words: 'three four' })
    expect(restOf(words, true, { told: 'one two three four', untold: '' }, '')).toBeUndefined()
  })

  it('is to go on where a reply was cut off, knowing everything it knew', () => {
    const rest = restOf({}, true, { told: 'We open', untold: ' at nine.' }, 'Be kind.')
    expect(rest?.instructions).toMatch(/^Be kind\.\n\n.*Go on.*at nine\.$/s)
    expect(paramsOf({})).toBeUndefined()
  })
})

describe('the memory', () => {
  it('keeps what was heard in its place, calls in pairs, and nothing empty', () => {
    const memory = new Memory([{ role: 'caller', text: 'before' }])
    memory.caller('c1', '')
    memory.agent('a1', 'Good mor', false)
    memory.caller('c1', 'hello')
    memory.agent('a1', 'Good', true)
    memory.calls({ id: 't1', name: 'look_up', args: {} })
    memory.calls({ id: 't2', name: 'look_up', args: {} })
    memory.results('t1', { ok: true, value: 1 })
    memory.caller('c2', '')
    expect(memory.entries.map(([, message]) => message)).toEqual([
      { role: 'caller', text: 'before' },
      { role: 'caller', text: 'hello' },
      { role: 'agent', text: 'Good', interrupted: true },
      { role: 'toolCall', id: 't1', name: 'look_up', args: {} },
      { role: 'toolResult', id: 't1', name: 'look_up', result: { ok: true, value: 1 } },
    ])
  })

  it('forgets the oldest', () => {
    const memory = new Memory([])
    for (let n = 0; n <= limits.openai.remembered; n++) memory.instruction(String(n))
    expect(memory.entries).toHaveLength(limits.openai.remembered)
    expect(memory.entries[0]?.[1]).toMatchObject({ text: '1' })
  })
})
