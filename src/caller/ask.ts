import { type Clock, within } from '../clock.ts'
import { hostPort } from './address.ts'
import { Connection, type ConnectionOptions } from './connection.ts'

/** Asks over a new connection whether anybody answers there: tells the status, whatever it is. Rejects in words when none comes. */
export async function askOptions(
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
  options: ConnectionOptions & { readonly withinMs: number },
): Promise<number> {
  const connection = new Connection(options)
  const asked = connection.opened.then(() => {
    const token = () => Math.floor(random() * 2 ** 48).toString(36)
    const callId = token()
    const there = hostPort(options.target)
    const here = hostPort(connection.local)
    return new Promise<number>((resolve, reject) => {
      connection.attach(callId, {
        received: message => void (message.kind === 'response' && resolve(message.status)),
        lost: reason => reject(new Error(reason)),
      })
      connection.send({
        kind: 'request',
        method: 'OPTIONS',
        uri: `sip:${there}`,
        headers: [
          ['Via', `SIP/2.0/${connection.transport} ${here};branch=z9hG4bK${token()}`],
          ['Max-Forwards', '70'],
          ['From', `<sip:${here}>;tag=${token()}`],
          ['To', `<sip:${there}>`],
          ['Call-ID', callId],
          ['CSeq', '1 OPTIONS'],
        ],
        body: '',
      })
    })
  })
  try {
    return await within(clock, options.withinMs, asked, () => new Error(`no answer within ${options.withinMs} ms`))
  } finally {
    connection.destroy()
  }
}
