import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { pause, systemClock } from '../../src/clock.ts'
import { FRAME_MS } from '../../src/media/audio.ts'
import type { Line } from '../../src/plane/line.ts'
import { openPlane } from '../../src/plane/open-plane.ts'
import { markedAudio } from '../conversation/marked.ts'
import { monotonicMs } from '../house/monotonic.ts'
import { answer } from '../house/requests.ts'
import type { PeersFigures, ToPeers } from './peers.ts'

/** The media thread under many lines that talk, without Asterisk: one line after the other is silenced. */

export interface Trials {
  readonly count: number
  readonly everyMs: number
  /** The main thread is busy for so long right before each decision. */
  readonly blockMs: number
}

/** One decision, and what came of it. */
export interface Silencing {
  readonly by: 'cancel' | 'pause'
  /** From the decision to the last packet of the utterance arriving; 0 when none came after it. */
  readonly tookMs: number
  /** Packets of the utterance that left after the media thread had the message. */
  readonly framesAfter: number
  /** Packets that left and did not arrive. */
  readonly lost: number
}

export interface SilencingFigures {
  readonly silencings: readonly Silencing[]
  readonly lateMs: readonly number[]
  readonly echoMs: readonly number[]
}

interface Trial {
  readonly by: Silencing['by']
  readonly utterance: number
  readonly decidedMs: number
  /** How much of the utterance had left when the media thread had the message. */
  readonly playedMs: Promise<number>
}

/** Longer than any line goes on before its next turn. */
const UTTERANCE_MS = 30_000
/** Between a pause and the cancel that ends it: whatever would still leave has left. */
const PAUSED_MS = 100
const SETTLE_MS = 1_000
const hearing = { format: { encoding: 'ulaw', rate: 8_000 }, write() {} } as const

const peers = new Worker(new URL('./peers.ts', import.meta.url), { name: 'peers' })
const tellPeers = (message: ToPeers) => peers.postMessage(message)
const plane = openPlane({ forbiddenPorts: { start: 10_000, end: 13_999 }, onTrouble: text => console.error(text) })
const lines: Line[] = []
/** The utterance that each line is at. */
const speaking: number[] = []
let utterances = 0

const requests = { open, decide }
export type SilencingRequests = typeof requests
answer(requests)

/** So many lines, all of them talking. */
async function open({ count, echoPort }: { count: number; echoPort: number }): Promise<void> {
  tellPeers({ kind: 'open', count })
  const [peerPorts] = (await once(peers, 'message')) as [number[]]
  for (const port of peerPorts) lines.push(await openLine(port))
  tellPeers({ kind: 'talk', ports: lines.map(line => line.local.port), echoPort })
  speaking.push(...lines.map(speak))
  await pause(systemClock, SETTLE_MS)
}

async function openLine(peerPort: number): Promise<Line> {
  const line = await plane.open('ulaw')
  line.hear(hearing)
  line.connect({ address: '127.0.0.1', port: peerPort })
  return line
}

/** Begins an utterance of its own on the line. */
function speak(line: Line): number {
  const utterance = ++utterances
  line.speak({ utterance, audio: markedAudio(utterance, UTTERANCE_MS), text: '', last: true })
  return utterance
}

/** Silences one line after the other. */
async function decide(trials: Trials): Promise<SilencingFigures> {
  const done: Trial[] = []
  for (let count = 0; count < trials.count; count++) {
    block(trials.blockMs)
    done.push(silence(count))
    await pause(systemClock, trials.everyMs)
  }
  await pause(systemClock, SETTLE_MS)
  tellPeers({ kind: 'stop' })
  const [{ arrived, lateMs, echoMs }] = (await once(peers, 'message')) as [PeersFigures]
  const silencings = await Promise.all(done.map(trial => outcome(trial, arrived)))
  return { silencings, lateMs, echoMs }
}

function silence(count: number): Trial {
  const index = count % lines.length
  const line = lines[index]!
  // In turns, and every line meets both.
  const by = (count + Math.floor(count / lines.length)) % 2 === 0 ? 'cancel' : 'pause'
  const decidedMs = monotonicMs()
  const playedMs = by === 'cancel' ? cancel(line) : pauseThenCancel(line)
  const utterance = speaking[index]!
  void playedMs.then(() => {
    speaking[index] = speak(line)
  })
  return { by, utterance, decidedMs, playedMs }
}

async function cancel(line: Line): Promise<number> {
  const [heard] = await line.cancel()
  return heard?.ms ?? Number.NaN
}

/** The figures are asked for right behind the pause: they tell what was unplayed when it had taken effect. */
async function pauseThenCancel(line: Line): Promise<number> {
  line.pause()
  const { sent } = await line.figures()
  await pause(systemClock, PAUSED_MS)
  await line.cancel()
  return UTTERANCE_MS - sent.unplayedMs
}

async function outcome({ by, utterance, decidedMs, playedMs }: Trial, arrived: PeersFigures['arrived']) {
  const { packets, lastMs } = arrived.get(utterance) ?? { packets: 0, lastMs: 0 }
  const left = (await playedMs) / FRAME_MS
  const silencing: Silencing = {
    by,
    tookMs: Math.max(0, lastMs - decidedMs),
    framesAfter: Math.max(0, packets - left),
    lost: Math.max(0, left - packets),
  }
  return silencing
}

function block(ms: number): void {
  const untilMs = monotonicMs() + ms
  while (monotonicMs() < untilMs);
}
