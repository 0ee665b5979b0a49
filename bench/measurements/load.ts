import { House } from '../house/house.ts'
import type { Usage } from '../house/processors.ts'
import type { Conversation } from '../programs/caller.ts'
import { percentiles } from '../report/percentiles.ts'
import { type Conditions, figure, type Row } from '../report/row.ts'
import type { How } from './measurement.ts'

export interface Load {
  readonly calls: number
  readonly seconds: number
  /** Between two clicks of a caller; longer than the reply and the time in which its lead is paid back. */
  readonly clickMs: number
  readonly replyMs: number
  /** The main thread is kept busy 20 ms of every 100. */
  readonly blocked: boolean
  /** Every so-manieth reply is told as a turn of the conversation; left out: none. */
  readonly toldEach?: number
}

/** What a load came to: the gateway without a call and with all of them. */
export interface LoadFigures {
  readonly load: Load
  readonly talk: Conversation
  readonly idle: Usage
  readonly busy: Usage
  readonly gatewayMb: number
  readonly asteriskMb: number
  readonly conditions: Conditions
}

const BLOCK = { ms: 20, everyMs: 100 }
const MB = 1e6

/** A fresh house, so many calls, and all of them talking. */
export async function carry(load: Load, how: How): Promise<LoadFigures> {
  await using house = await House.open()
  return await carryIn(house, load, how)
}

/** `beside`: what else happens while they talk. */
export async function carryIn(
  house: House,
  load: Load,
  { progress }: How,
  beside = async () => {},
): Promise<LoadFigures> {
  const idle = await idleFigures(house)
  progress(`${load.calls} calls${load.blocked ? ', main thread blocked' : ''}, ${load.seconds} s`)
  await house.add(load.calls, load)
  if (load.blocked) await house.gateway.ask('block', BLOCK)
  const { seconds, clickMs } = load
  const carried = await house.during(async echoPort => {
    const [talk] = await Promise.all([house.caller.ask('converse', { seconds, clickMs, echoPort }), beside()])
    return talk
  })
  await house.gateway.ask('unblock')
  const { rssBytes } = await house.gateway.ask('usage')
  const asteriskRssBytes = await house.asteriskRssBytes()
  await house.caller.ask('hangUp')
  return {
    load,
    ...carried,
    idle: idle.usage,
    gatewayMb: (rssBytes - idle.gatewayRssBytes) / MB,
    asteriskMb: (asteriskRssBytes - idle.asteriskRssBytes) / MB,
  }
}

async function idleFigures(house: House) {
  const usage = await house.idle()
  const { rssBytes: gatewayRssBytes } = await house.gateway.ask('usage')
  return { usage, gatewayRssBytes, asteriskRssBytes: await house.asteriskRssBytes() }
}

export function pathRow({ load, talk, conditions }: LoadFigures, besides = ''): Row {
  const path = percentiles(talk.pathMs)
  return {
    subject: `media path, ${callsText(load)}${besides}`,
    checks: [
      { name: 'p50', value: path.p50, most: 5, unit: 'ms' },
      { name: 'p99', value: path.p99, most: 20, unit: 'ms' },
      { name: 'clicks without a reply', value: talk.unanswered, most: 0 },
    ],
    notes: [`max ${figure(path.max)} ms`, `${figure(path.count)} clicks`],
    conditions,
  }
}

export function spacingRow({ load, talk, conditions }: LoadFigures, besides = ''): Row {
  const off = percentiles(talk.spacingMs.map(ms => Math.abs(ms - 20)))
  const callerLateMs = percentiles(talk.callerLateMs).p99
  return {
    subject: `spacing, ${callsText(load)}${load.blocked ? ', main thread blocked 20 of every 100 ms' : ''}${besides}`,
    checks: [
      {
        name: "p99 off 20 ms, beyond the caller's own",
        value: Math.max(0, off.p99 - callerLateMs),
        most: 2,
        unit: 'ms',
      },
      { name: 'frames missing', value: talk.missing, most: 0 },
    ],
    notes: [
      `off by p50 ${figure(off.p50)} ms, p99 ${figure(off.p99)} ms, max ${figure(off.max)} ms`,
      `${figure(off.count)} intervals, ${figure(talk.packets)} packets`,
    ],
    conditions,
  }
}

export function costRow({ load, idle, busy, gatewayMb, asteriskMb, conditions }: LoadFigures): Row {
  const cpuPerCall = (name: string) => ((busy.cpu[name] ?? 0) - (idle.cpu[name] ?? 0)) / load.calls
  const perCall = (name: string, mb: number) =>
    `${name} ${cpuPerCall(name).toFixed(2)} % of a core and ${(mb / load.calls).toFixed(2)} MB`
  return {
    subject: `cost of a call, of ${load.calls}`,
    checks: [],
    notes: [perCall('gateway', gatewayMb), perCall('Asterisk', asteriskMb)],
    conditions,
  }
}

function callsText({ calls }: Load): string {
  return calls === 1 ? '1 call' : `${calls} calls`
}
