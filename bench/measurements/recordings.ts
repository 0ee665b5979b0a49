import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { every, systemClock } from '../../src/clock.ts'
import { FRAME_MS } from '../../src/media/audio.ts'
import { encode } from '../../src/media/g711.ts'
import { auHeader } from '../../src/recording/au.ts'
import { convertAside } from '../../src/recording/converter.ts'
import { bestCodec, type OpusCodec } from '../../src/recording/opus.ts'
import { Child } from '../house/child.ts'
import { House } from '../house/house.ts'
import type { Conversation } from '../programs/caller.ts'
import type { RecorderRequests } from '../programs/recorder.ts'
import { percentiles } from '../report/percentiles.ts'
import { figure, type Row } from '../report/row.ts'
import { carryIn, spacingRow } from './load.ts'
import type { How, Subject } from './measurement.ts'

const EACH = 50
const CLICK_MS = 1_000
const REPLY_MS = 400
const SECONDS = 30
const QUICK_SECONDS = 5
const HOUR = 3_600
const QUICK_HOUR = 120
const PPM = 100
const MB = 1e6

export const recordings: Subject = {
  title: 'Recordings',
  method: `${EACH} calls that are recorded and ${EACH} that are not, in one house and in the same seconds, each as "Calls through Asterisk" has it: what
recording does to the packets that leave is the difference between the two halves. An hour's call goes through the media
thread's own code, the pairing of both sides and the writer, in virtual time, as fast as the machine goes, with a caller whose clock is
${PPM} ppm off; its memory is what the process has after a collection. The alignment is that of each frame that was heard after the first five
seconds: when the caller said it against when what stands beside it was sent. An hour of both sides is converted in a thread of
the lowest priority; its memory is the most that the process had more than before, looked at ten times a second.`,
  measurements: [
    { name: 'recordings', run: besideOthers },
    { name: 'recording-hour', run: hour },
    { name: 'recording-drift', run: drift },
    { name: 'convert', run: converting },
  ],
}

async function besideOthers({ quick, progress }: How): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  const file = join(folder, 'business.yaml')
  await writeFile(file, 'name: Bench\nrecording:\n  enabled: true\n')
  try {
    await using house = await House.open({ environment: { BUSINESS_FILE: file } })
    progress(`${EACH} calls that are recorded, ${EACH} that are not`)
    await house.add(EACH, { replyMs: REPLY_MS, recorded: true })
    await house.add(EACH, { replyMs: REPLY_MS })
    const recorded = Number(/^parley_recordings (\d+)$/m.exec(await house.api('/metrics'))?.[1])
    await house.gateway.ask('watchLoop')
    const seconds = quick ? QUICK_SECONDS : SECONDS
    let halves: readonly [Conversation, Conversation] | undefined
    const { conditions } = await house.during(async echoPort => {
      const talk = (recorded: boolean) =>
        house.caller.ask('converse', { seconds, clickMs: CLICK_MS, echoPort, recorded })
      halves = await Promise.all([talk(true), talk(false)])
      const [one, other] = halves
      return { echoMs: one.echoMs, callerLateMs: [...one.callerLateMs, ...other.callerLateMs] }
    })
    const loopMs = percentiles(await house.gateway.ask('loopLateMs'))
    await house.caller.ask('hangUp')
    const [kept, others] = halves!.map(({ spacingMs }) => percentiles(spacingMs.map(ms => Math.abs(ms - FRAME_MS))))
    const spacing = (name: string, { p50, p99, max }: NonNullable<typeof kept>) =>
      `${name} off by p50 ${figure(p50)} ms, p99 ${figure(p99)} ms, max ${figure(max)} ms`
    return [
      {
        subject: `spacing of ${EACH} recorded calls beside ${EACH} others`,
        checks: [
          {
            name: 'p99 off 20 ms, more than the others',
            value: Math.max(0, kept!.p99 - others!.p99),
            most: 0.5,
            unit: 'ms',
          },
          { name: 'frames missing', value: halves![0].missing + halves![1].missing, most: 0 },
          { name: 'calls of them that are not recorded', value: EACH - recorded, most: 0 },
        ],
        notes: [
          spacing('recorded', kept!),
          spacing('the others', others!),
          `frames missing: recorded ${figure(halves![0].missing)}, the others ${figure(halves![1].missing)}`,
          `the main thread's lateness p50 ${figure(loopMs.p50)} ms, p99 ${figure(loopMs.p99)} ms, max ${figure(loopMs.max)} ms`,
        ],
        conditions,
      },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

function recorder(): Child<RecorderRequests> {
  const environment = { PATH: process.env['PATH'] ?? '' }
  return new Child(new URL('../programs/recorder.ts', import.meta.url), { environment, nodeOptions: ['--expose-gc'] })
}

async function hour({ progress }: How): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  await using child = recorder()
  progress('an hour of one recorded call')
  const { rssBytes, seconds, tookMs } = await child.ask('hour', folder)
  await rm(folder, { recursive: true })
  const grownMb = (rssBytes.at(-1)! - rssBytes[0]!) / MB
  return [
    {
      subject: 'the recording of a call of an hour',
      checks: [
        { name: 'RSS more than after ten minutes', value: Math.max(0, grownMb), most: 10, unit: 'MB' },
        { name: 'seconds that are not in it', value: Math.abs(HOUR - Math.round(seconds)), most: 0 },
      ],
      notes: [
        `at each ten minutes ${rssBytes.map(bytes => figure(bytes / MB)).join(', ')} MB`,
        `${figure((HOUR * 1_000) / tookMs)} times its speed`,
      ],
      conditions: undefined,
    },
  ]
}

async function drift({ progress }: How): Promise<Row[]> {
  await using child = recorder()
  const rows: Row[] = []
  for (const ppm of [-PPM, PPM]) {
    progress(`an hour at ${ppm} ppm`)
    const { offsMs, pairs } = await child.ask('drift', ppm)
    const off = percentiles(offsMs.map(Math.abs))
    rows.push({
      subject: `both sides of an hour, the caller's clock ${ppm} ppm off`,
      checks: [{ name: 'max apart', value: off.max, most: FRAME_MS, unit: 'ms' }],
      notes: [
        `p50 ${figure(off.p50)} ms, p99 ${figure(off.p99)} ms`,
        `${figure(pairs)} pairs, ${figure(off.count)} heard`,
      ],
      conditions: undefined,
    })
  }
  return rows
}

async function converting(how: How): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  try {
    const seconds = how.quick ? QUICK_HOUR : HOUR
    const source = join(folder, 'hour.au')
    await recordedSound(source, seconds)
    const encoders: readonly OpusCodec[] = bestCodec() === 'compiled' ? ['WebAssembly', 'compiled'] : ['WebAssembly']
    const rows: Row[] = []
    for (const encoder of encoders) rows.push(await conversion(how, { source, encoder, seconds }))
    rows.push(await besideCalls(how, source))
    return rows
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A voice would be neither cheaper nor dearer: the bit rate is fixed. */
async function recordedSound(path: string, seconds: number): Promise<void> {
  const samples = Int16Array.from({ length: 16_000 }, (_, at) => 6_000 * Math.sin(at / 7) * Math.sin(at / 900))
  const second = new Uint8Array(samples.length)
  encode('ulaw', samples, second)
  const header = auHeader({ law: 'ulaw', channels: 2 }, { id: 'hour', call: '1', business: 'bench', beganAtMs: 0 })
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, Buffer.concat([header, ...Array.from({ length: seconds }, () => second)]))
}

async function conversion(
  { progress }: How,
  { source, encoder, seconds }: { source: string; encoder: OpusCodec; seconds: number },
): Promise<Row> {
  progress(`${seconds} s of a recording by the ${encoder} encoder`)
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  let most = before
  const stopLooking = every(systemClock, 100, () => {
    most = Math.max(most, process.memoryUsage.rss())
  })
  const cpu = process.cpuUsage()
  const startedMs = performance.now()
  const bytes = await convertAside({ source, target: `${source}.opus`, encoder }, new AbortController().signal)
  const tookMs = performance.now() - startedMs
  stopLooking()
  const { user, system } = process.cpuUsage(cpu)
  return {
    subject: `converting ${figure(seconds)} s of both sides, ${encoder} libopus`,
    checks: [{ name: 'RSS more', value: (most - before) / MB, most: 150, unit: 'MB' }],
    notes: [
      `${figure(tookMs / 1_000)} s, ${figure((user + system) / 1e6)} s of a core`,
      `${figure(bytes / MB)} MB become of ${figure((seconds * 16_000) / MB)}`,
    ],
    conditions: undefined,
  }
}

/** In a process beside the gateway, for as long as they talk. */
async function besideCalls(how: How, source: string): Promise<Row> {
  await using house = await House.open()
  const seconds = how.quick ? QUICK_SECONDS : SECONDS
  const done = new AbortController()
  const target = `${source}.beside.opus`
  const beside = async () => {
    const converted = convertAside({ source, target, encoder: bestCodec() }, done.signal)
    systemClock.after(seconds * 1_000, () => done.abort())
    await converted.catch(() => {})
  }
  const load = { calls: EACH, seconds, clickMs: CLICK_MS, replyMs: REPLY_MS, blocked: false }
  return spacingRow(await carryIn(house, load, how, beside), ', beside a conversion')
}
