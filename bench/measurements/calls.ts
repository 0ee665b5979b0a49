import type { Row } from '../report/row.ts'
import { carry, costRow, type Load, type LoadFigures, pathRow, spacingRow } from './load.ts'
import type { Measurement, Subject } from './measurement.ts'

const QUICK_SECONDS = 5

const method = `Calls through the real Asterisk: a SIP and RTP caller in a process of its own, and the gateway with an agent
that needs no engine. The caller clicks for one packet; the agent, on the main thread, hears it and replies with a tone at
once. Every caller clicks at times of its own. Caller, Asterisk and gateway share the machine.

**Media path**: from the click's packet leaving the caller to the first packet of the tone arriving there. It is an upper
bound of the gateway's own path, for it holds Asterisk twice, four datagrams, and what the caller itself is late.

**Spacing**: between two packets of one tone as they arrive at the caller, from the tone's second packet on; told is how far
it is off 20 ms, either way. What the caller is late itself is subtracted: the 99th percentile of its own packets leaving
after their deadlines, in the same seconds. Missing is every frame, silence included, whose 20 ms of RTP time never came.

**Cost**: what 150 calls take more than none, a call.`

const one: Load = { calls: 1, seconds: 40, clickMs: 400, replyMs: 100, blocked: false }
const fifty: Load = { calls: 50, seconds: 20, clickMs: 1_000, replyMs: 400, blocked: false }
const many: Load = { calls: 150, seconds: 30, clickMs: 1_200, replyMs: 600, blocked: false }

export const calls: Subject = {
  title: 'Calls through Asterisk',
  method,
  measurements: [
    measurement('calls-1', one, figures => [pathRow(figures)]),
    measurement('calls-50', fifty, figures => [pathRow(figures)]),
    measurement('calls-150', many, figures => [pathRow(figures), spacingRow(figures), costRow(figures)]),
    measurement('calls-150-blocked', { ...many, blocked: true }, figures => [spacingRow(figures)]),
  ],
}

function measurement(name: string, load: Load, rows: (figures: LoadFigures) => readonly Row[]): Measurement {
  return {
    name,
    run: async how => rows(await carry({ ...load, seconds: how.quick ? QUICK_SECONDS : load.seconds }, how)),
  }
}
