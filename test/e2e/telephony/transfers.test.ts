import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { segments } from '../../../src/caller/tones.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import type { Law } from '../../../src/media/audio.ts'
import { type Pbx, pbxHz, startPbx } from '../../support/pbx.ts'
import { Exchange, echoLine, type Running } from './exchange.ts'
import {
  asteriskWith,
  callerHz,
  dial,
  everythingIsGone,
  hear,
  LEASE_SECONDS,
  lawOf,
  lineFor,
  liveCaller,
  reachedFallback,
} from './transfer-scene.ts'

let pbx: Pbx
let running: Running

beforeAll(async () => {
  pbx = await startPbx()
  running = await asteriskWith(pbx)
})

afterAll(async () => {
  await running[Symbol.asyncDispose]()
  await pbx[Symbol.asyncDispose]()
})

/** A caller and the telephone of 2000, joined. */
async function joined(exchange: Exchange, endpoint?: string, law?: Law) {
  const { call, leg } = await liveCaller(exchange, law)
  const far = await dial(exchange, leg, '2000', endpoint)
  const phone = await pbx.phone.nextCall()
  await far.tells('answered')
  expect(await leg.join(far.dialled)).toBe('joined')
  await Promise.all([hear(call, pbxHz.phone), hear(phone, callerHz)])
  return { call, leg, far, phone }
}

describe('a blind transfer', () => {
  it.each([
    ['pbx', 'ulaw', 'the caller'],
    ['pbx-tcp', 'alaw', 'the other one'],
  ] as const)('by %s in %s joins the two, until %s hangs up', async (endpoint, law, who) => {
    await using exchange = await Exchange.open(running)
    const { call, leg, far, phone } = await joined(exchange, endpoint, law)
    if (law === 'ulaw') expect(await lawOf(running, far.dialled.id)).toBe('(ulaw)')
    expect(far.told.map(({ kind }) => kind)).toEqual(['ringing', 'answered'])
    await exchange.has(leg.id, far.dialled.id, '*')
    const { bridges } = await exchange.telephony.inspect()
    expect(bridges).toMatchObject([{ technology: 'simple_bridge' }])
    await (who === 'the caller' ? call : phone).hangup()
    await Promise.all([call.ended, phone.ended])
    await exchange.gone(leg)
    expect(exchange.events.get(leg.id)).toEqual([expect.objectContaining({ kind: 'gone', how: 'hungUp' })])
    await everythingIsGone(exchange, pbx)
    expect(exchange.troubles).toEqual([])
  })

  it.each([
    ['2001', 'pbx', 'busy'],
    ['2002', 'pbx', 'rejected'],
    ['2007', 'pbx-tcp', 'rejected'],
    ['2999', 'pbx', 'unreachable'],
    ['2000', 'nobody', 'unreachable'],
  ])('to %s of %s tells %s, and the caller hears the line all the time', async (extension, endpoint, why) => {
    await using exchange = await Exchange.open(running)
    const { call, leg } = await liveCaller(exchange)
    const far = await dial(exchange, leg, extension, endpoint)
    expect(await far.tells('ended')).toMatchObject({ kind: 'ended', why })
    expect(await leg.join(far.dialled)).toBe('otherGone')
    await hear(call, callerHz)
    expect(segments(call.heard(), [callerHz]).filter(({ sound }) => sound === 'silence').length).toBeLessThan(2)
    await call.hangup()
    await exchange.gone(leg)
    await everythingIsGone(exchange, pbx)
  })

  it('that is taken back while it rings is cancelled at the PBX', async () => {
    await using exchange = await Exchange.open(running)
    const { call, leg } = await liveCaller(exchange)
    const far = await dial(exchange, leg, '2003')
    await far.tells('ringing')
    await far.dialled.close()
    await pbx.idle()
    await hear(call, callerHz)
    await call.hangup()
    await exchange.gone(leg)
    await exchange.has()
  })
})

describe('sound before the answer', () => {
  it('takes the place of the line, and the other one is joined out of it', async () => {
    await using exchange = await Exchange.open(running)
    const { call, leg } = await liveCaller(exchange)
    const far = await dial(exchange, leg, '2005')
    await far.tells('ownSound')
    await leg.letHear(far.dialled)
    await hear(call, pbxHz.early)
    await far.tells('answered')
    expect(await leg.join(far.dialled)).toBe('joined')
    await hear(call, pbxHz.lateTone)
    await call.hangup()
    await exchange.gone(leg)
    await everythingIsGone(exchange, pbx)
  })

  it('gives the caller back when nobody answers after all, with a gap of less than 100 ms', async () => {
    await using exchange = await Exchange.open(running)
    const { call, leg } = await liveCaller(exchange)
    const far = await dial(exchange, leg, '2015')
    await far.tells('ownSound')
    await leg.letHear(far.dialled)
    await hear(call, pbxHz.early)
    expect(await far.tells('ended')).toMatchObject({ why: 'busy' })
    await hear(call, callerHz)
    const heard = segments(call.heard(), [callerHz, pbxHz.early])
    const early = heard.findLastIndex(({ hz }) => hz === pbxHz.early)
    const back = heard.findIndex(({ hz }, index) => index > early && hz === callerHz)
    expect(heard[back]!.fromMs - heard[early]!.toMs).toBeLessThan(100)
    await call.hangup()
    await exchange.gone(leg)
    await everythingIsGone(exchange, pbx)
  })
})

describe('an attended transfer', () => {
  it('has a word with whoever answers while the caller hears the line, takes their key, and joins', async () => {
    await using exchange = await Exchange.open(running)
    const { call, leg } = await liveCaller(exchange)
    const far = await dial(exchange, leg, '2000')
    const phone = await pbx.phone.nextCall()
    await far.tells('answered')
    await using echo = await echoLine(leg.facts.law)
    await far.dialled.consult(echo.line)
    await Promise.all([hear(phone, pbxHz.phone), hear(call, callerHz)])
    await phone.digits('1')
    expect(await far.tells('digit')).toMatchObject({ kind: 'digit', digit: '1' })
    expect(await leg.join(far.dialled)).toBe('joined')
    await Promise.all([hear(call, pbxHz.phone), hear(phone, callerHz)])
    await phone.hangup()
    await exchange.gone(leg)
    await everythingIsGone(exchange, pbx)
  })

  it('that is declined ends for the other one alone', async () => {
    await using exchange = await Exchange.open(running)
    const { call, leg } = await liveCaller(exchange)
    const far = await dial(exchange, leg, '2000')
    const phone = await pbx.phone.nextCall()
    await far.tells('answered')
    await using echo = await echoLine(leg.facts.law)
    await far.dialled.consult(echo.line)
    await hear(phone, pbxHz.phone)
    await far.dialled.close()
    await phone.ended
    await hear(call, callerHz)
    await call.hangup()
    await exchange.gone(leg)
    await everythingIsGone(exchange, pbx)
  })
})

describe('who is joined', () => {
  it('holds and resumes, presses keys and changes the sound, either side', async () => {
    await using exchange = await Exchange.open(running)
    const { call, leg, phone } = await joined(exchange)
    await call.digits('5#')
    await phone.digits('12')
    const pressed = () => [phone, call].map(side => side.figures().received.digits)
    while (pressed().join('').length < 4) await pause(systemClock, 20)
    expect(pressed()).toEqual(['5#', '12'])
    expect(await call.hold()).toBe(200)
    expect(await call.offerAgain()).toBe(200)
    await hear(phone, callerHz)
    expect(await phone.hold()).toBe(200)
    await hear(call, pbxHz.hold)
    expect(await phone.offerAgain()).toBe(200)
    await Promise.all([hear(call, pbxHz.phone), hear(phone, callerHz)])
    // None of it is the agent's any more.
    expect(exchange.events.get(leg.id)).toEqual([])
    await call.hangup()
    await exchange.gone(leg)
    await everythingIsGone(exchange, pbx)
  })

  it('walks through a menu by keys', async () => {
    await using exchange = await Exchange.open(running)
    const { call, leg } = await liveCaller(exchange)
    const far = await dial(exchange, leg, '2008')
    await far.tells('answered')
    expect(await leg.join(far.dialled)).toBe('joined')
    for (const key of ['3', '5']) {
      await call.digits(key)
      await hear(call, 400 + 100 * Number(key))
    }
    await call.hangup()
    await exchange.gone(leg)
    await everythingIsGone(exchange, pbx)
  })

  it('is given back when the other one vanishes, and hears a line again', async () => {
    await using exchange = await Exchange.open(running)
    const { call, leg, phone } = await joined(exchange)
    phone.vanish()
    await exchange.until(() => exchange.events.get(leg.id)?.[0]?.kind === 'returned')
    await lineFor(exchange, leg)
    await hear(call, callerHz)
    await call.hangup()
    await exchange.gone(leg)
    await exchange.has()
  })
})

describe('music', () => {
  it('is heard instead of the line, and stops for it and for whoever answers', async () => {
    await using exchange = await Exchange.open(running)
    const { call, leg } = await liveCaller(exchange)
    await leg.letHear('music')
    const isMusic = () => segments(call.heard(call.heardMs - 500), [callerHz]).some(({ sound }) => sound === 'other')
    while (!isMusic()) await pause(systemClock, 50)
    await leg.letHear(undefined)
    await hear(call, callerHz, 500)
    await leg.letHear('music')
    const far = await dial(exchange, leg, '2004')
    await far.tells('answered')
    expect(await leg.join(far.dialled)).toBe('joined')
    await hear(call, pbxHz.tone, 500)
    await call.hangup()
    await exchange.gone(leg)
    await everythingIsGone(exchange, pbx)
  })
})

/** A gateway that is killed says nothing any more, and is heard by nobody. */
const kill = (exchange: Exchange) => exchange.proxy[Symbol.asyncDispose]()

describe('a gateway that is killed', () => {
  it('leaves its callers to the fallback, and nobody to nobody, whatever it was doing', async () => {
    await using exchange = await Exchange.open(running)
    const moments = [
      ['2003', 'ringing'],
      ['2005', 'ownSound'],
      ['2004', 'answered'],
    ] as const
    const callers = moments.map(async ([extension, moment]) => {
      const { call, leg } = await liveCaller(exchange)
      const far = await dial(exchange, leg, extension)
      await far.tells(moment)
      if (moment === 'ownSound') await leg.letHear(far.dialled)
      if (moment === 'answered') await far.dialled.consult((await echoLine(leg.facts.law)).line)
      return { call, leg }
    })
    const all = await Promise.all(callers)
    await kill(exchange)
    await Promise.all([pbx.idle(), ...all.map(({ leg }) => reachedFallback(running, leg))])
    await using next = await Exchange.open(running)
    await next.has(...all.map(({ leg }) => leg.id))
    expect(next.legs).toEqual([])
    expect(next.telephony.outsiders).toBe(all.length)
    for (const { call } of all) await call.hangup()
    await next.has()
  })

  it('after the two were joined leaves them talking; the next one lets them, and knows when they are done', async () => {
    await using exchange = await Exchange.open(running)
    const { call, leg, far, phone } = await joined(exchange)
    await kill(exchange)
    await using next = await Exchange.open(running)
    await next.has(leg.id, far.dialled.id, '*')
    expect(next.telephony.outsiders).toBe(2)
    // A lease would be over by then. A busy machine tears holes into what is heard meanwhile.
    await pause(systemClock, (LEASE_SECONDS + 1) * 1_000)
    await call.hearsTone(pbxHz.phone, { forMs: 300, sinceMs: call.heardMs })
    const over = next.telephony.talking(leg.id)
    expect(over).toBeDefined()
    await phone.hangup()
    await over
    await call.ended
    await everythingIsGone(next, pbx)
  })

  it('after the two were joined has the caller taken over, or led to the fallback, when the other one vanishes', async () => {
    for (const again of [true, false]) {
      await using exchange = await Exchange.open(running)
      const { call, leg, phone } = await joined(exchange)
      await kill(exchange)
      const next = again ? await Exchange.open(running) : undefined
      phone.vanish()
      if (next) {
        const taken = await next.offered()
        expect([taken.id, taken.takenOver]).toEqual([leg.id, true])
        await lineFor(next, taken)
        await hear(call, callerHz)
      }
      await pbx.idle()
      await next?.[Symbol.asyncDispose]()
      await reachedFallback(running, leg)
      await using last = await Exchange.open(running)
      await last.has(leg.id)
      expect(last.telephony.outsiders).toBe(1)
      await call.hangup()
      await last.has()
    }
  })
})
