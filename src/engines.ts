import { lookup as addressesOf } from 'node:dns/promises'
import type { Speaker } from './agent/ports.ts'
import type { Business, Engine } from './business.ts'
import type { ContextSources } from './call/caller-context.ts'
import type { AnnounceTransfer, Handler } from './call/ports.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import type { SendHook } from './desk/hooks.ts'
import type { Notifier } from './desk/notifier.ts'
import { asError } from './errors.ts'
import { hookSender } from './notifiers/hook.ts'
import { webhookNotifier } from './notifiers/webhook.ts'
import { type Digesters, digestersOf } from './own-digests.ts'
import { type LocalEngine, localEngine } from './providers/local/engine.ts'
import { sweepFolders } from './providers/local/own-folder.ts'
import { obtainSpeechPrograms } from './providers/local/programs.ts'
import { realtimeEngine } from './providers/openai/engine.ts'
import { scriptedEngine } from './providers/scripted/engine.ts'
import { scriptedSpeaker } from './providers/scripted/speaker.ts'
import { httpTools } from './tools/http-tools.ts'
import { Lookup } from './tools/lookup.ts'
import { reachOf } from './tools/reach.ts'
import { eachOnce } from './tools/resolving.ts'
import { transferWebhook } from './tools/transfer-webhook.ts'

/** Everything that can hold a conversation here. */
export interface Engines {
  readonly handlers: Readonly<Record<Engine, Handler>>
  /** Makes ready what the engine of this business needs before it takes calls; rejects when that is missing. */
  prepare(business: Business): Promise<void>
  /** Who speaks where no engine holds a conversation: the business's own, if there is one, and the one that needs nobody. */
  readonly speakers: (business: Business) => { readonly own: Speaker | undefined; readonly builtIn: Speaker }
  /** Asks a business's own records who calls. */
  readonly lookUp: ContextSources['lookUp']
  /** Tells a business's own systems of transfers. */
  readonly announce: AnnounceTransfer
  /** Tells them what their people must hear of. */
  readonly webhook: Notifier
  /** Make something of words when a call is over. */
  readonly digesters: Digesters
  readonly sendHook: SendHook
  close(): Promise<void>
}

interface EngineSurroundings {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly progress: (text: string) => void
}

export function openEngines({ config, environment, progress }: EngineSurroundings): Engines {
  const clock = systemClock
  void sweepFolders().catch(error => progress(`What others have left is not removed: ${asError(error).message}`))
  const resolve = eachOnce(host => addressesOf(host, { all: true }))
  const http = { reach: reachOf(config.tools.allowPrivate), resolve, secrets: environment }
  const tools = httpTools(http)
  const lookup = new Lookup({ ...http, clock })
  const { apiKey, baseUrl, options } = config.openai
  const realtime = realtimeEngine({ clock, baseUrl, options, apiKey: apiKey?.reveal(), tools })
  const closing = new AbortController()
  let local: Promise<LocalEngine> | undefined
  let opened: LocalEngine | undefined
  const programs = () => obtainSpeechPrograms({ cacheDirectory: config.speechCache, environment, clock, progress })
  const openLocal = () => {
    local ??= programs().then(found => {
      opened = localEngine({ clock, programs: found, ...config.local })
      return opened
    })
    // One that could not be obtained may be there for the next call.
    local.catch(() => {
      local = undefined
    })
    return local
  }
  const builtIn: Speaker = {
    format: { encoding: 'ulaw', rate: 8_000 },
    async *speak(text, signal) {
      yield* (await openLocal()).speaker.speak(text, signal)
    },
  }
  const ownSpeakers: Readonly<Record<Engine, (business: Business) => Speaker | undefined>> = {
    local: () => undefined,
    realtime: business => realtime.speakerOf(business),
    scripted: () => scriptedSpeaker({ clock, format: { encoding: 'ulaw', rate: 8_000 }, latencyMs: 20 }),
  }
  return {
    handlers: {
      // A business may choose it for the next call, long after the start.
      local: async (call, scope) => (await openLocal()).handler(call, scope),
      realtime: realtime.handler,
      scripted: scriptedEngine({ clock }),
    },
    async prepare(business) {
      if (business.engine === 'local') await (await openLocal()).prewarm(business)
      // Not awaited: a call can be held meanwhile, and the server may be back before it comes.
      if (business.engine === 'realtime') {
        realtime.prewarm(business, closing.signal).catch(error => {
          if (!closing.signal.aborted) progress(`the phrases of the agent could not be made: ${asError(error).message}`)
        })
      }
    },
    speakers: business => ({ own: ownSpeakers[business.engine](business), builtIn }),
    lookUp: call => lookup.ask(call),
    announce: transferWebhook({ ...http, clock }),
    webhook: webhookNotifier({ ...http, clock }),
    digesters: digestersOf(config, { programs, busy: () => (opened?.taken ?? 0) > 0 }),
    sendHook: hookSender({ ...http, clock }),
    async close() {
      closing.abort(new Error('The gateway stops.'))
      await (await local?.catch(() => undefined))?.close()
    },
  }
}
