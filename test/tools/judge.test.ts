import { describe, expect, it } from 'vitest'
import type { Answer } from '../../src/tools/exchange.ts'
import { judge } from '../../src/tools/judge.ts'

const answered = (status: number, body: unknown = '') =>
  ({ kind: 'answered', status, text: typeof body === 'string' ? body : JSON.stringify(body) }) as const
const read = { effect: 'read', result: undefined } as const
const write = { effect: 'write', result: undefined } as const

describe('what an answer means', () => {
  it('is its JSON, or the part of it that was asked for', () => {
    const order = { order: { items: [{ name: 'chair' }], paid: false } }
    expect(judge(answered(200, order), read)).toEqual({ result: { ok: true, value: order } })
    expect(judge(answered(201, order), { ...read, result: 'order.items.0.name' }).result).toMatchObject({
      value: 'chair',
    })
    expect(judge(answered(200, order), { ...read, result: 'order.paid' }).result).toMatchObject({ value: false })
    expect(judge(answered(200, order), { ...read, result: 'order.constructor' }).result.ok).toBe(false)
    expect(judge(answered(204), write)).toEqual({ result: { ok: true, value: 'done' } })
  })

  it.each<[string, Answer, typeof read | typeof write, RegExp, RegExp | undefined]>([
    [
      'a refusal',
      answered(404, { detail: 'There is no order 7.' }),
      read,
      /says no \(404\)\. There is no order 7\./,
      undefined,
    ],
    ['a refusal of ours', answered(401), read, /says no \(401\)/, /refuses us/],
    ['an error', answered(500, 'at secret.js:1'), read, /out of order \(500\)\.$/, /500/],
    ['an error in a change', answered(500), write, /\(500\)\. Whether it was done is not known/, /500/],
    ['a redirect', answered(302), read, /\(302\)\.$/, /not followed/],
    ['a redirect of a change', answered(303), write, /not known/, /not followed/],
    ['no JSON', answered(200, '<html>'), read, /cannot be read/, /not JSON/],
    ['nothing', answered(200), read, /nothing to say/, undefined],
    ['something else', answered(200, { a: 1 }), { ...read, result: 'b' } as never, /cannot be read/, /has no b/],
    ['too much', { kind: 'broken', why: 'long' }, write, /cannot be read\. Whether/, /long/],
    ['silence', { kind: 'unanswered', sent: true, why: 'x' }, write, /cannot be reached\. Whether/, /x/],
    ['no way there', { kind: 'unanswered', sent: false, why: 'x' }, write, /cannot be reached\.$/, /x/],
    ['a private address', { kind: 'barred' }, read, /may not reach/, /TOOLS_ALLOW_PRIVATE/],
  ])('in words: %s', (_, answer, tool, words, trouble) => {
    const verdict = judge(answer, tool)
    expect(verdict.result).toEqual({ ok: false, problem: expect.stringMatching(words) })
    if (trouble) expect(verdict.trouble).toMatch(trouble)
    else expect(verdict.trouble).toBeUndefined()
  })

  it('of a change that was made is that it was made, however the answer looks', () => {
    expect(judge(answered(200, '<html>'), write)).toMatchObject({
      result: { ok: true, value: expect.stringContaining('was done') },
      trouble: expect.any(String),
    })
  })
})
