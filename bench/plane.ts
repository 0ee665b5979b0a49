import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { every, pause, systemClock } from '../src/clock.ts'
import { FRAME_SAMPLES } from '../src/media/audio.ts'
import type { Line } from '../src/plane/line.ts'
import { openPlane } from '../src/plane/open-plane.ts'
import type { PeerFigures, ToPeer } from './plane-peer.ts'
import { nowMs, readStamp, spread, stamp } from './plane-stamp.ts'

/**
 * The media thread alone, without a PBX: N duplex lines that hear all the time and speak in spurts, every second one of
 * which is cancelled half way. `node bench/plane.ts 50 150 300`
 */

const SPURT_FRAMES = 75
const ROUND_MS = 2_000
const ROUNDS = 5

const lineCounts = process.argv.slice(2).map(Number)
console.log('milliseconds are p50 / p99 / worst; CPU in percent of one core')
for (const lines of lineCounts.length > 0 ? lineCounts : [50, 150, 300]) {
  for (const blocked of [false, true]) await measure(lines, blocked)
}

async function measure(count: number, blocked: boolean): Promise<void> {
  const plane = openPlane({ forbiddenPorts: { start: 10_000, end: 10_100 }, onTrouble: text => console.error(text) })
  const peer = fork(new URL('./plane-peer.ts', import.meta.url), [String(count)], { serialization: 'advanced' })
  const ask = (message: ToPeer) => peer.send(message)
  const [farPorts] = (await once(peer, 'message')) as [number[]]
  const toEarMs: number[] = []
  let unstamped = 0
  const lines: Line[] = []
  for (const port of farPorts) {
    const line = await plane.open('ulaw')
    line.hear({
      format: { encoding: 'ulaw', rate: 8_000 },
      write: (frame, _timeMs, kind) => {
        const stamped = kind === 'heard' ? readStamp(frame as Uint8Array) : undefined
        if (stamped) toEarMs.push(nowMs() - stamped.atMs)
        else unstamped += 1
      },
    })
    line.connect({ address: '127.0.0.1', port })
    lines.push(line)
  }
  ask({ connect: lines.map(line => line.local.port) })
  await talk(lines, 1, 1)

  ask('reset')
  toEarMs.length = 0
  unstamped = 0
  const meter = startMeter()
  const stopBlocking = blocked ? every(systemClock, 100, () => block(20)) : () => {}
  const cancelledMs = await talk(lines, 2, ROUNDS)
  stopBlocking()
  const { main, all, stolen } = meter()
  ask('figures')
  const [far] = (await once(peer, 'message')) as [PeerFigures]
  const sent = (await Promise.all(lines.map(line => line.figures()))).map(figures => figures.sent)

  const seconds = (ROUNDS * ROUND_MS) / 1_000
  const lastPacketMs = new Map(far.lastPacketMs)
  const afterCancelMs = [...cancelledMs].map(([key, atMs]) => Math.max(0, (lastPacketMs.get(key) ?? 0) - atMs))
  const offByMs = far.gapsMs.map(ms => Math.abs(ms - 20))
  console.log(`\n${count} lines${blocked ? ', main thread blocked 20 of every 100 ms' : ''}`)
  console.log(
    `  spacing, off 20 ms by      ${spread(offByMs)}  (${far.gapsMs.length} gaps, ${far.missing} packets missing)`,
  )
  console.log(`  first audio to its packet  ${spread(far.firstAudioMs)}`)
  console.log(`  cancel to the last packet  ${spread(afterCancelMs)}`)
  console.log(
    `  caller's packet to the ear ${spread(toEarMs)}  (${unstamped} frames concealed, missing or out of step)`,
  )
  console.log(`  the peer's own lateness    ${spread(far.sentLateMs)}`)
  console.log(
    `  late frames ${sent.reduce((sum, each) => sum + each.lateFrames, 0)} of ${sent.reduce((sum, each) => sum + each.packets, 0)}, worst ${Math.max(...sent.map(each => each.worstLateMs)).toFixed(2)} ms`,
  )
  console.log(
    `  CPU: media thread ${percent(all - main, seconds)}, main ${percent(main, seconds)}, peer ${percent(far.cpuMs, seconds)}; stolen ${percent(stolen, seconds)}`,
  )
  await Promise.all(lines.map(line => line.close()))
  await plane.close()
  peer.disconnect()
}

/** Every line speaks once a round, not all at the same time; every second utterance is cancelled. Tells when, by line. */
async function talk(lines: readonly Line[], firstUtterance: number, rounds: number): Promise<Map<string, number>> {
  const cancelledMs = new Map<string, number>()
  for (let utterance = firstUtterance; utterance < firstUtterance + rounds; utterance++) {
    const startedMs = systemClock.now()
    for (const [index, line] of lines.entries()) {
      const offsetMs = (index * 400) / lines.length
      systemClock.after(offsetMs, () => line.speak({ utterance, audio: speech(utterance), text: '', last: true }))
      if ((index + utterance) % 2 === 0) continue
      systemClock.after(offsetMs + 700, () => {
        cancelledMs.set(`${index}/${utterance}`, nowMs())
        void line.cancel()
      })
    }
    await pause(systemClock, startedMs + ROUND_MS - systemClock.now())
  }
  return cancelledMs
}

function speech(utterance: number): Uint8Array {
  const audio = new Uint8Array(SPURT_FRAMES * FRAME_SAMPLES).fill(0x31)
  const atMs = nowMs()
  for (let at = 0; at < audio.length; at += FRAME_SAMPLES) stamp(audio.subarray(at), { atMs, utterance })
  return audio
}

function block(ms: number): void {
  const untilMs = nowMs() + ms
  while (nowMs() < untilMs);
}

/** CPU time in milliseconds of the main thread and of the whole process, and what the host took, since the start. */
function startMeter(): () => { main: number; all: number; stolen: number } {
  const main = process.threadCpuUsage()
  const all = process.cpuUsage()
  const stolen = stolenMs()
  const sum = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1_000
  return () => ({
    main: sum(process.threadCpuUsage(main)),
    all: sum(process.cpuUsage(all)),
    stolen: stolenMs() - stolen,
  })
}

function stolenMs(): number {
  const [cpu] = readFileSync('/proc/stat', 'utf8').split('\n')
  return Number(cpu!.trim().split(/\s+/)[8]) * 10
}

function percent(ms: number, seconds: number): string {
  return `${(ms / seconds / 10).toFixed(0)} %`
}
