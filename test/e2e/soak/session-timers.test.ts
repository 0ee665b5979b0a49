import { afterAll, beforeAll, expect, it } from 'vitest'
import { Connection } from '../../../src/caller/connection.ts'
import { type Pbx, pbxHz, startPbx } from '../../support/pbx.ts'
import { Exchange, type Running } from '../telephony/exchange.ts'
import { asteriskWith, callerHz, dial, everythingIsGone, hear, liveCaller } from '../telephony/transfer-scene.ts'

/** The shortest that RFC 4028 allows. */
const SESSION_SECONDS = 90
const TEST_MS = 150_000

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

/** A caller with a session that has to be refreshed, and the methods of what comes for it. */
async function callerWith(exchange: Exchange, refresher: 'uac' | 'uas') {
  const target = { address: '127.0.0.1', port: running.settings.tcpPort }
  const connection = new Connection({ target, transport: 'tcp' })
  const methods: string[] = []
  const attach = connection.attach.bind(connection)
  connection.attach = (callId, reception) =>
    attach(callId, {
      ...reception,
      received: message => {
        if (message.kind === 'request') methods.push(message.method)
        reception.received(message)
      },
    })
  const headers = {
    Supported: 'timer',
    'Session-Expires': `${SESSION_SECONDS};refresher=${refresher}`,
    'Min-SE': String(SESSION_SECONDS),
  }
  return { ...(await liveCaller(exchange, 'ulaw', { connection, headers })), methods, connection }
}

it(
  'refreshes the session of a caller who is connected with somebody, and ends one that nobody refreshes',
  async () => {
    await using exchange = await Exchange.open(running)
    const [kept, forgotten] = [await callerWith(exchange, 'uas'), await callerWith(exchange, 'uac')]
    const far = await dial(exchange, kept.leg, '2000')
    const phone = await pbx.phone.nextCall()
    await far.tells('answered')
    expect(await kept.leg.join(far.dialled)).toBe('joined')
    expect(await forgotten.call.ended).toMatchObject({ by: 'callee', how: 'bye' })
    expect(forgotten.methods).toEqual(['BYE'])
    expect(kept.methods).toContain('INVITE')
    await Promise.all([
      hear(
        { hearsTone: (hz, options) => kept.call.hearsTone(hz, { ...options, sinceMs: kept.call.heardMs }) },
        pbxHz.phone,
      ),
      hear({ hearsTone: (hz, options) => phone.hearsTone(hz, { ...options, sinceMs: phone.heardMs }) }, callerHz),
    ])
    await kept.call.hangup()
    await exchange.gone(kept.leg)
    await everythingIsGone(exchange, pbx)
    for (const { connection } of [kept, forgotten]) connection.close()
  },
  TEST_MS,
)
