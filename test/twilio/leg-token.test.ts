import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { legJudge } from '../../src/twilio/leg-judge.ts'
import { type LegClaim, LegTokens } from '../../src/twilio/leg-token.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { authToken } from './signed.ts'

const record = `CA${'0'.repeat(31)}1`
const claim = { record, business: 'dentist' }
const { aliveMs, spent } = limits.twilio.legToken

function house({ token = authToken, sipDomain = 'sip.example.com', clock = new VirtualClock() } = {}) {
  return { clock, tokens: new LegTokens({ authToken: token, sipDomain, clock }) }
}

const texts = fc.string({ unit: 'grapheme', maxLength: 30 })
const claims: fc.Arbitrary<LegClaim> = fc.record(
  { record: texts, business: texts, again: texts },
  { requiredKeys: ['record', 'business'] },
)

describe('a token of a leg', () => {
  it('is right once, for what it was made for, whatever that is', () => {
    const { tokens } = house()
    fc.assert(
      fc.property(claims, made => {
        const token = tokens.make(made)
        expect(token).toMatch(/^[\w.-]{40,50}$/)
        expect(tokens.take(token, made)).toBeUndefined()
        expect(tokens.take(token, made)).toBe('a token that was used before')
      }),
    )
  })

  it('is wrong for anything else, and is not spent by that', () => {
    const { tokens } = house()
    const outcome = (each: LegClaim) => JSON.stringify([each.record, each.business, each.again ?? ''])
    fc.assert(
      fc.property(claims, claims, (made, other) => {
        fc.pre(outcome(made) !== outcome(other))
        const token = tokens.make(made)
        expect(tokens.take(token, other)).toBe('a wrong token')
        expect(tokens.take(token, made)).toBeUndefined()
      }),
    )
  })

  it('is wrong when a sign of it is another, and nothing throws', () => {
    const { tokens } = house()
    fc.assert(
      fc.property(fc.nat(), fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }), (at, sign) => {
        const token = tokens.make(claim)
        const place = at % token.length
        const altered = `${token.slice(0, place)}${sign}${token.slice(place + 1)}`
        fc.pre(altered !== token)
        expect(tokens.take(altered, claim)).toBe('a wrong token')
        expect(tokens.take(sign, claim)).toBe('a wrong token')
      }),
    )
  })

  it('is wrong at another host, and with another auth token', () => {
    const { tokens, clock } = house()
    const elsewhere = house({ sipDomain: 'sip.example.net', clock }).tokens
    const stranger = house({ token: 'another', clock }).tokens
    expect(elsewhere.take(tokens.make(claim), claim)).toBe('a wrong token')
    expect(stranger.take(tokens.make(claim), claim)).toBe('a wrong token')
    expect(house({ sipDomain: 'SIP.example.com', clock }).tokens.take(tokens.make(claim), claim)).toBeUndefined()
  })

  it('lives for as long as its limit says', async () => {
    const { tokens, clock } = house()
    const [early, late] = [tokens.make(claim), tokens.make(claim)]
    await clock.run(aliveMs - 1)
    expect(tokens.take(early, claim)).toBeUndefined()
    await clock.run(1)
    expect(tokens.take(late, claim)).toBe('a token that is too old')
  })

  it('from before this gateway began may have been used then', async () => {
    const { tokens, clock } = house()
    const token = tokens.make(claim)
    await clock.run(1)
    expect(house({ clock }).tokens.take(token, claim)).toBe('a token that was used before')
  })

  it('is right after the clock was set back, too, and once', async () => {
    const { tokens, clock } = house()
    let backMs = 0
    const wallMs = clock.wallMs.bind(clock)
    clock.wallMs = () => wallMs() - backMs
    const before = tokens.make(claim)
    backMs = 3_600_000
    const after = tokens.make(claim)
    await clock.run(1)
    expect(tokens.take(after, claim)).toBeUndefined()
    expect(tokens.take(after, claim)).toBe('a token that was used before')
    expect(tokens.take(before, claim)).toBeUndefined()
  })

  it('is refused when more are remembered than may be, until they are forgotten', async () => {
    const { tokens, clock } = house()
    for (let made = 0; made < spent; made++) expect(tokens.take(tokens.make(claim), claim)).toBeUndefined()
    expect(tokens.take(tokens.make(claim), claim)).toBe('a token that was used before')
    await clock.run(aliveMs)
    expect(tokens.take(tokens.make(claim), claim)).toBeUndefined()
  })
})

describe('the judge of legs', () => {
  const facts = (parameters: Record<string, string>, headers: Record<string, string> = {}) =>
    ({ parameters, headers, calledUser: 'bianca', requestUri: '', callerNumber: '', law: 'ulaw' }) as const

  it.each([false, true])('finds whose it is by address or by header; required: %s', required => {
    const { tokens } = house()
    const judge = legJudge({ tokens, required })
    const carried = (more: Partial<LegClaim> = {}) => ({
      business: 'dentist',
      token: tokens.make({ ...claim, ...more }),
    })
    expect(judge(facts({ CallSid: record, ...carried() }))).toEqual({ kind: 'partOf', record })
    const { token, business } = carried()
    const headers = { 'x-callsid': record, 'x-business': business, 'x-token': token }
    expect(judge(facts({ transport: 'tcp' }, headers))).toEqual({ kind: 'partOf', record })
    const out = { ...carried({ record: 'out-1', again: 'busy' }), record: 'out-1', again: 'busy', callSid: record }
    expect(judge(facts(out))).toEqual({ kind: 'partOf', record: 'out-1', again: 'busy', outbound: true })
  })

  it.each([false, true])('knows whose one is that another gateway has let in; required: %s', required => {
    const { tokens } = house()
    const taken = tokens.make(claim)
    expect(tokens.take(taken, claim)).toBeUndefined()
    // One that has just begun, on the same account.
    const judge = legJudge({ tokens: house().tokens, required })
    const carried = { callSid: record, business: claim.business, token: taken }
    expect(judge(facts(carried), true)).toEqual({ kind: 'partOf', record })
    for (const wrong of [{ business: 'plumber' }, { callSid: `CA${'9'.repeat(32)}` }, { token: 'x' }])
      expect(judge(facts({ ...carried, ...wrong }), true)).toEqual({ kind: 'plain' })
    expect(judge(facts({}), true)).toEqual({ kind: 'plain' })
  })

  it('refuses what is forged, replayed or without a token where one is required', () => {
    const { tokens } = house()
    const judge = legJudge({ tokens, required: true })
    const right = { callSid: record, business: 'dentist', token: tokens.make(claim) }
    expect(judge(facts({ ...right, business: 'plumber' }))).toEqual({
      kind: 'forged',
      why: 'It carries a wrong token.',
    })
    expect(judge(facts({ ...right, again: 'busy' }))).toMatchObject({ kind: 'forged' })
    expect(judge(facts(right))).toMatchObject({ kind: 'partOf' })
    expect(judge(facts(right))).toEqual({ kind: 'forged', why: 'It carries a token that was used before.' })
    expect(judge(facts({ callSid: record }))).toEqual({ kind: 'forged', why: 'It carries no token.' })
  })

  it('takes the same where none is required: as the call it names without a token, as none with a wrong one', () => {
    const judge = legJudge({ tokens: house().tokens, required: false })
    expect(judge(facts({ callSid: record }))).toEqual({ kind: 'partOf', record, byHand: true })
    expect(judge(facts({ callSid: record, again: 'busy' }))).toEqual({ kind: 'partOf', record, again: 'busy' })
    expect(judge(facts({ callSid: 'CA12' }))).toEqual({ kind: 'plain' })
    expect(judge(facts({}))).toEqual({ kind: 'plain' })
    expect(judge(facts({ callSid: record, token: 'forged' }))).toEqual({
      kind: 'plain',
      doubt: 'The call carries a wrong token: it is no part of the one that it names.',
    })
    const untold = legJudge({ tokens: undefined, required: false })
    expect(untold(facts({ callSid: record, token: 'any' }))).toMatchObject({ kind: 'plain' })
  })

  it('throws at nothing', () => {
    const judge = legJudge({ tokens: house().tokens, required: true })
    const names = fc.constantFrom('token', 'callSid', 'record', 'business', 'again', '__proto__', 'toString')
    fc.assert(
      fc.property(fc.dictionary(names, fc.string({ unit: 'binary' })), parameters => {
        expect(judge(facts(parameters)).kind).toBe('forged')
      }),
    )
  })
})
