import { once } from 'node:events'
import { parseArgs } from 'node:util'
import type { IncomingCall } from '../caller/incoming-call.ts'
import { type Manner, Phone } from '../caller/phone.ts'
import { pause, systemClock } from '../clock.ts'
import { asError } from '../errors.ts'
import { Wheel } from '../media/wheel.ts'

const usage = `A telephone that is called, to try transfers without a PBX: it tells who calls and what becomes of it.

  npm run phone -- [--port 5070] [--address 127.0.0.1] [--rings 2] [--busy | --never] [--tone 440]

  --rings     seconds until it answers; --never: it goes on ringing
  --busy      it is busy
  --tone      what it says, in Hz

As a destination of a business: address: "sip:2000@127.0.0.1:5070". Ctrl-C ends it.`

await main().catch(error => {
  console.error(`phone: ${asError(error).message}`)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const flag = { type: 'boolean', default: false } as const
  const text = (otherwise: string) => ({ type: 'string', default: otherwise }) as const
  const { values } = parseArgs({
    options: {
      port: text('5070'),
      address: text('127.0.0.1'),
      rings: text('2'),
      tone: text('440'),
      busy: flag,
      never: flag,
      help: flag,
    },
  })
  if (values.help) return console.log(usage)
  const [port, rings, tone] = [values.port, values.rings, values.tone].map(Number)
  if (![port, rings, tone].every(value => Number.isFinite(value))) throw new Error(`That is no number.\n\n${usage}`)
  const answers: Manner = async call => {
    call.hum(tone)
    call.ring()
    if (values.never) return
    await pause(systemClock, (rings ?? 0) * 1_000)
    if (await call.answer()) console.log('  answered; it hears what is said and says its tone')
  }
  const deps = { clock: systemClock, wheel: new Wheel(systemClock), random: Math.random }
  const whenCalled: Manner = call => {
    void told(call)
    return values.busy ? call.refuse(486) : answers(call)
  }
  await using phone = await Phone.open(deps, { address: values.address, port: port ?? 0, whenCalled })
  console.log(`sip:2000@${values.address}:${phone.address.port} waits for calls (UDP and TCP); Ctrl-C ends it`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
}

async function told(call: IncomingCall): Promise<void> {
  console.log(`${call.callerNumber || 'somebody'} calls ${call.user}`)
  for (const [name, value] of call.invite.headers) if (/^x-/i.test(name)) console.log(`  ${name}: ${value}`)
  const { by, how } = await call.ended
  const keys = call.figures().received.digits
  console.log(`  over: ${how} by ${by}${keys === '' ? '' : `; keys that were pressed: ${keys}`}`)
}
