import type { Message, Tool } from '../../../src/agent/ports.ts'
import { realtimeAgent } from '../../../src/agent/realtime.ts'
import type { AgentSettings } from '../../../src/agent/settings.ts'
import { FakeOpenAi, type FakeOptions } from '../../../src/fake-openai/api.ts'
import type { Fault } from '../../../src/fake-openai/faults.ts'
import type { Session } from '../../../src/fake-openai/session.ts'
import { realtimeConversant } from '../../../src/providers/openai/conversant.ts'
import { defaultOptions, type RealtimeOptions } from '../../../src/providers/openai/options.ts'
import type { ClientEvent } from '../../../src/providers/openai/protocol.ts'
import type { Dial } from '../../../src/providers/openai/wire.ts'
import { inTurn, type Step } from '../../../src/providers/scripted/script.ts'
import { scriptedSpeaker } from '../../../src/providers/scripted/speaker.ts'
import { House, type HouseOptions, toneSettings } from '../../agent/house.ts'
import { dialFake } from '../../support/fake-openai.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

interface Options extends HouseOptions {
  readonly turns?: readonly (readonly Step[])[]
  readonly faults?: readonly Fault[]
  readonly api?: Partial<FakeOptions>
  readonly realtime?: Partial<RealtimeOptions>
  readonly settings?: AgentSettings
  readonly tools?: readonly Tool[]
  readonly key?: string
  /** Of what the server says, kinds that this one never says. */
  readonly unsaid?: readonly string[]
}

/** One call with a caller in virtual time, and the double at the other end. */
export interface Call {
  readonly api: FakeOpenAi
  readonly house: House
  readonly session: () => Session
  /** Between the two nothing goes either way any more, until all of it goes at once. */
  readonly way: Way
  readonly sent: <T extends ClientEvent['type']>(type: T) => Extract<ClientEvent, { type: T }>[]
}

export function call(options: Options = {}): Call {
  const clock = new VirtualClock()
  const api = new FakeOpenAi({ clock, apiKey: 'key', script: inTurn(options.turns ?? []), ...options.api })
  api.faults.plan(...(options.faults ?? []))
  const way = new Way()
  const conversant = realtimeConversant({
    clock,
    baseUrl: 'https://api.openai.com',
    apiKey: options.key ?? 'key',
    options: { ...defaultOptions, ...options.realtime },
    dial: way.dial(without(options.unsaid ?? [], dialFake(api))),
  })
  const handler = realtimeAgent({
    conversant,
    speaker: scriptedSpeaker({ clock, format: { encoding: 'ulaw', rate: 8_000 }, latencyMs: 20 }),
    tools: () => options.tools ?? [],
    settings: options.settings ?? toneSettings,
    clock,
  })
  const house = new House(clock, options).start(handler)
  const session = () => api.sessions.at(-1)!
  const sent = <T extends ClientEvent['type']>(type: T) =>
    api.sessions.flatMap(each => each.received).filter(event => event.type === type) as Extract<
      ClientEvent,
      { type: T }
    >[]
  return { api, house, session, way, sent }
}

class Way {
  #blocked = false
  #waiting: (() => void)[] = []

  block(): void {
    this.#blocked = true
  }

  open(): void {
    this.#blocked = false
    for (const go of this.#waiting.splice(0)) go()
  }

  dial(dial: Dial): Dial {
    return async (address, headers, listener, signal) => {
      const text = (frame: string) => this.#go(() => listener.text(frame))
      const alive = () => this.#go(() => listener.alive())
      const wire = await dial(address, headers, { ...listener, text, alive }, signal)
      const send = (frame: string) => this.#go(() => wire.send(frame))
      return { ...wire, send, ping: () => this.#go(() => wire.ping()) }
    }
  }

  #go(go: () => void): void {
    if (this.#blocked) this.#waiting.push(go)
    else go()
  }
}

function without(kinds: readonly string[], dial: Dial): Dial {
  const said = (text: string) => !kinds.some(kind => text.includes(`"type":"${kind}"`))
  return (address, headers, listener, signal) =>
    dial(address, headers, { ...listener, text: text => said(text) && listener.text(text) }, signal)
}

/** Greeted, and the first reply is being heard. */
export async function answering(options: Options): Promise<Call> {
  const stage = call(options)
  await stage.house.run(900)
  stage.house.says(1_300)
  const since = stage.house.line.playedMs
  const sounds = () => stage.house.line.soundingFrames.some(frame => frame * 20 >= since)
  while (!sounds() && stage.house.clock.now() < 10_000) await stage.house.run(20)
  return stage
}

/** One side of a conversation without an agent or a line. */
export async function voiceAlone() {
  const clock = new VirtualClock()
  const api = new FakeOpenAi({ clock })
  const conversant = realtimeConversant({
    clock,
    baseUrl: 'http://x',
    apiKey: undefined,
    options: defaultOptions,
    dial: dialFake(api),
  })
  const ending = new AbortController()
  const history: Message[] = [{ role: 'caller', text: 'before' }]
  const session = {
    format: { encoding: 'ulaw', rate: 8_000 },
    instructions: '',
    voice: '',
    language: 'en-US',
    tools: [],
    history,
  } as const
  const opening = conversant.open(session, ending.signal)
  await clock.run(10)
  const voice = await opening
  const kinds: string[] = []
  const items = new Set<string>()
  void (async () => {
    for await (const event of voice.events) {
      kinds.push(event.kind)
      if (event.kind === 'audio') items.add(event.item)
    }
  })()
  return { clock, api, voice, kinds, items, ending }
}
