import { parseArgs } from 'node:util'
import { placeCall } from '../src/caller/call.ts'
import { Connection } from '../src/caller/connection.ts'
import { word } from '../src/caller/voice.ts'
import { systemClock } from '../src/clock.ts'
import { Wheel } from '../src/media/wheel.ts'
import { seeded } from '../test/support/random.ts'

// What scripts/root-proofs.sh asks from the other side of the cable; exits with 1 when it is not as expected.
const { positionals } = parseArgs({ allowPositionals: true })
const asked = Object.fromEntries(positionals.map(each => each.split('=') as [string, string]))
const gateway = '192.0.2.1'
const deps = { clock: systemClock, wheel: new Wheel(systemClock), random: seeded(3) }

const found = await look()
const expected = asked['expect'] ?? 'page'
console.log(`${positionals.join(' ')}: ${found}`)
process.exit(found === expected ? 0 : 1)

function look(): Promise<string> {
  if (asked['page-from']) return page()
  if (asked['told-to']) return toldAddress(asked['told-to'])
  return call(asked['called-from'] ?? '', asked['sound-from'])
}

/** Where the sound of a call is to be sent. */
async function toldAddress(from: string): Promise<string> {
  const target = { address: gateway, port: 5061 }
  const placed = await placeCall(deps, { transport: 'tcp', target, localAddress: from, user: 'bianca' })
  const answer = await placed.answered
  placed.vanish()
  return answer.kind === 'answered' ? answer.audio.address : answer.kind
}

/** A port that is not Parley's to close, from anywhere. */
async function page(): Promise<string> {
  const response = await fetch(`http://${gateway}:3000/healthz`)
  return response.ok ? 'page' : String(response.status)
}

async function call(from: string, soundFrom = from): Promise<string> {
  const transport = asked['transport'] === 'udp' ? 'udp' : 'tcp'
  const target = { address: gateway, port: transport === 'udp' ? 5060 : 5061 }
  const connection = new Connection({ transport, target, localAddress: from })
  const options = { transport, target, connection, localAddress: soundFrom, user: 'bianca' } as const
  const placed = await placeCall(deps, options).catch(() => undefined)
  const answer = await placed?.answered
  if (!placed || answer?.kind === 'failed') return 'unreachable'
  if (answer?.kind === 'refused') return 'refused'
  await placed.hearsTone(440, { forMs: 400 })
  await placed.play(word({ f0: 130, markerHz: 1_300, ms: 600, level: -16, random: seeded(1) }))
  const heard = await placed.hearsTone(650, { forMs: 400, timeoutMs: 5_000 }).then(
    () => 'answered',
    () => 'unheard',
  )
  await placed.hangup()
  return heard
}
