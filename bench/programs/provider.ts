import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../src/clock.ts'
import { FakeOpenAi } from '../../src/fake-openai/api.ts'
import { selfSigned } from '../../src/fake-openai/certificate.ts'
import type { Client } from '../../src/fake-openai/client.ts'
import type { OpenEars } from '../../src/fake-openai/ears.ts'
import { buildFakeServer } from '../../src/fake-openai/server.ts'
import type { Session } from '../../src/fake-openai/session.ts'
import { LevelEars } from '../conversation/level-ears.ts'
import { TurnStamps } from '../conversation/turn-stamps.ts'
import { monotonicMs } from '../house/monotonic.ts'
import { answer } from '../house/requests.ts'

/**
 * The double of the provider (`npm run fake-openai`) in a process of its own: the same messages and the same strictness, with
 * ears that cost next to nothing, and with a watch.
 */

const LOOPBACK = '127.0.0.1'
const MODEL_MS = 50

/** Each session's, also under its signal: that is what its ears are given. */
const sessions: TurnStamps[] = []
const bySignal = new WeakMap<AbortSignal, TurnStamps>()
let api: WatchedApi | undefined

const requests = { open, turns, problems }
export type ProviderRequests = typeof requests
answer(requests)

class WatchedApi extends FakeOpenAi {
  override open(client: Client): Session {
    const stamps = new TurnStamps(monotonicMs)
    const text = (frame: string) => {
      stamps.tells(frame)
      client.text(frame)
    }
    const session = super.open({ text, binary: client.binary, close: client.close })
    sessions.push(stamps)
    bySignal.set(session.signal, stamps)
    return session
  }
}

const openEars: OpenEars = (format, silenceMs, _clock, listener, signal) => {
  if (format.encoding === 'pcm16') throw new Error('These ears hear G.711 alone.')
  return new LevelEars(format.encoding, silenceMs, listener, mark => bySignal.get(signal)?.heard(mark))
}

/** Listens, and answers each utterance with a tone of this length; with TLS it tells how it is to be trusted. */
async function open({ tls, replyMs }: { tls: boolean; replyMs: number }) {
  api = new WatchedApi({
    clock: systemClock,
    script: () => [{ say: `[tone 1000 ${replyMs}ms]` }],
    modelMs: MODEL_MS,
    openEars,
  })
  const certificate = tls ? selfSigned([LOOPBACK], systemClock.wallMs()) : undefined
  const server = buildFakeServer(api, certificate)
  server.listen(0, LOOPBACK)
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, cert: certificate?.cert }
}

/** Of all sessions, since the last time. */
function turns() {
  return sessions.flatMap(session => session.take())
}

/** What the gateway was told that it may not do. */
function problems(): string[] {
  return api?.problems ?? []
}
