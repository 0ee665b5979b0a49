import { readdirSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { type Engine, engines } from '../../src/business.ts'
import type { Handler } from '../../src/call/ports.ts'
import { every, systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import { openEngines } from '../../src/engines.ts'
import { startGateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { replying } from '../conversation/replying.ts'
import { TRANSFER_PARAMETER, transferring } from '../conversation/transferring.ts'
import { answer } from '../house/requests.ts'

/**
 * The gateway as `npm start` runs it, with an agent made for measuring unless it is told to take the realtime engine; told by
 * environment, asked by its parent.
 */

export interface GatewayUsage {
  readonly rssBytes: number
  /** After a forced collection. */
  readonly heapBytes: number
  readonly mediaHeapBytes: number
  readonly descriptors: number
  /** Of the main thread. */
  readonly timers: number
}

const LOOK_EVERY_MS = 10

const mediaThreads = new Set<Worker>()
process.on('worker', worker => {
  mediaThreads.add(worker)
  worker.on('exit', () => mediaThreads.delete(worker))
})

const config = readConfig(process.env)
const progress = (text: string) => console.error(text)
const agent: Handler = (call, scope) =>
  (call.facts.parameters[TRANSFER_PARAMETER] === undefined ? replying : transferring)(call, scope)
const format = { encoding: 'ulaw', rate: 8_000 } as const
const builtIn = scriptedSpeaker({ clock: systemClock, format, latencyMs: 20 })
const measuring = {
  handlers: Object.fromEntries(engines.map(engine => [engine, agent])) as Record<Engine, Handler>,
  prepare: async () => {},
  speakers: () => ({ own: undefined, builtIn }),
  lookUp: () => undefined,
  announce: async () => {},
  webhook: { by: 'webhook' as const, deliver: async () => {} },
  digesters: { transcriber: undefined, summarizer: undefined },
  sendHook: async () => ({ kind: 'taken', status: 204 }) as const,
}
const { handlers, prepare, speakers, lookUp, announce, webhook, digesters, sendHook } =
  config.engine === 'realtime' ? openEngines({ config, environment: process.env, progress }) : measuring
const log = createLog(config.logLevel)
const asked = { handlers, prepare, speakers, lookUp, announce, webhook, digesters, sendHook }
const starting = startGateway({ config, environment: process.env, log, progress, ...asked })
let unblock = () => {}
let stopWatching = () => {}
const lateMs: number[] = []

const requests = {
  ready: async () => (await starting).httpAddress,
  /** Keeps the main thread busy for so long in every period. */
  block({ ms, everyMs }: { ms: number; everyMs: number }) {
    unblock = every(systemClock, everyMs, () => {
      const untilMs = systemClock.now() + ms
      while (systemClock.now() < untilMs);
    })
  },
  unblock: () => unblock(),
  /** How late timers of the main thread are, from now on. */
  watchLoop() {
    let dueMs = systemClock.now() + LOOK_EVERY_MS
    stopWatching = every(systemClock, LOOK_EVERY_MS, () => {
      lateMs.push(Math.max(0, systemClock.now() - dueMs))
      dueMs = systemClock.now() + LOOK_EVERY_MS
    })
  },
  loopLateMs(): number[] {
    stopWatching()
    return lateMs.splice(0)
  },
  usage: readUsage,
}
export type GatewayRequests = typeof requests
answer(requests, async () => (await starting).close())

async function readUsage(): Promise<GatewayUsage> {
  if (!globalThis.gc) throw new Error('the gateway must run with --expose-gc')
  // The second one collects what finalizers have let go.
  for (let times = 0; times < 2; times++) globalThis.gc()
  const heaps = await Promise.all([...mediaThreads].map(thread => thread.getHeapStatistics()))
  const { rss, heapUsed } = process.memoryUsage()
  return {
    rssBytes: rss,
    heapBytes: heapUsed,
    mediaHeapBytes: heaps.reduce((sum, heap) => sum + heap.used_heap_size, 0),
    descriptors: readdirSync('/proc/self/fd').length,
    timers: process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length,
  }
}
