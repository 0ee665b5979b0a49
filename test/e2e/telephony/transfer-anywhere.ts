import { expect } from 'vitest'
import { type Pbx, pbxHz } from '../../support/pbx.ts'
import { type Kind, wholeTransfer } from '../../telephony/whole-transfer.ts'
import { Exchange, echoLine, type Running } from './exchange.ts'
import { callerHz, everythingIsGone, hear, liveCaller } from './transfer-scene.ts'

/** What happens at one of the requests. */
export const injuries = [
  'the caller hangs up',
  'its time is over',
  'the request is lost',
  'the answer is lost',
] as const

export type Injury = (typeof injuries)[number]

/** It answers at once, or after a sound of its own. */
const extensions: Readonly<Record<Kind, string>> = { blind: '2004', 'blind with early sound': '2005', attended: '2004' }

/** Transfers of one kind side by side, each injured at another request; without an injury it tells how many there are. */
export async function injured(
  running: Running,
  pbx: Pbx,
  kind: Kind,
  injury: Injury | undefined,
  steps: readonly number[],
): Promise<number> {
  const exchange = await Exchange.open(running)
  const counts = await Promise.all(steps.map(step => injuredOnce(exchange, kind, injury, step)))
  await exchange[Symbol.asyncDispose]()
  // What a lost request has left is removed by whoever comes next, at the latest.
  await using next = await Exchange.open(running)
  await everythingIsGone(next, pbx)
  expect(next.legs).toEqual([])
  return Math.max(...counts)
}

async function injuredOnce(exchange: Exchange, kind: Kind, injury: Injury | undefined, step: number): Promise<number> {
  const { call, leg } = await liveCaller(exchange)
  await using echo = await echoLine(leg.facts.law)
  let seen = 0
  let hungUp = false
  const over = Promise.withResolvers<void>()
  const forget = exchange.proxy.watch(async (method, path) => {
    if (method === 'GET' || !path.includes(leg.id) || seen++ !== step) return undefined
    if (injury === 'the caller hangs up') {
      hungUp = true
      await call.hangup()
    }
    if (injury === 'its time is over') over.resolve()
    if (injury === 'the request is lost') return 'request'
    return injury === 'the answer is lost' ? 'answer' : undefined
  })
  const isGone = () => exchange.events.get(leg.id)?.some(({ kind }) => kind === 'gone') ?? false
  const joined = await wholeTransfer(leg, kind, {
    request: { target: { dial: `PJSIP/${extensions[kind]}@pbx` }, callerId: { number: '+15550001' }, headers: {} },
    line: echo.line,
    provoke: () => {},
    change: () => exchange.change(),
    callerIsGone: isGone,
    timeIsOver: over.promise,
  }).catch(() => false)
  if (!hungUp) {
    // Nobody is lost: they are with the other one, or with the agent.
    const heard = hear(call, joined ? (kind === 'blind with early sound' ? pbxHz.lateTone : pbxHz.tone) : callerHz, 100)
    await heard.catch(error => {
      if (!hungUp) throw error
    })
    await call.hangup()
  }
  await call.ended
  await exchange.until(isGone)
  await leg.close()
  forget()
  return seen
}
