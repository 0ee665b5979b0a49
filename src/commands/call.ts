import { randomUUID } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { constants } from 'node:fs'
import { access, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { dirname } from 'node:path'
import { hostPort } from '../caller/address.ts'
import { Connection } from '../caller/connection.ts'
import type { CallOptions } from '../caller/invitation.ts'
import { systemClock, within } from '../clock.ts'
import { type Config, loadConfig } from '../config.ts'
import type { FetchOptions } from '../debian/tree.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import { Wheel } from '../media/wheel.ts'
import { openApi } from './api.ts'
import { figuresOf, summaryOf } from './call/figures.ts'
import { GatewayRecord, type Told } from './call/gateway-record.ts'
import { type Callee, type Options, readOptions, usage } from './call/options.ts'
import { turnsOf } from './call/sounds.ts'
import { openSpeech } from './call/speech.ts'
import { placeTestCall, type TestCall, type TestCallOptions } from './call/test-call.ts'
import { Transcript } from './call/transcript.ts'
import { figuresLines, named, remedyFor, summaryLines, transcriptLine, troubleOf } from './call/words.ts'

const DEFAULT_RECORDING = 'call.wav'
/** One wish to stop comes as several signals. */
const SAME_WISH_MS = 1_000
const deps = { clock: systemClock, wheel: new Wheel(systemClock), random: Math.random }

await main().then(
  allHeard => process.exit(allHeard ? 0 : 1),
  error => {
    console.error(`call: ${asError(error).message}`)
    process.exit(1)
  },
)

async function main(): Promise<boolean> {
  const options = readOptions(process.argv.slice(2))
  if (options === 'help') {
    console.log(usage)
    return true
  }
  const { environment, config } = loadConfig(process.cwd())
  const out = options.out ?? (options.calls === 1 ? DEFAULT_RECORDING : undefined)
  if (out !== undefined) await mayWrite(out)
  const call = await callOptions(options.to ?? ownAddress(config), options)
  await isReached(call)
  const turns = await turnsOf(
    options.asked,
    () => openSpeech(speechOptions(config, environment)),
    words => console.error(`call: ${words}`),
  )
  const plan = { turns, hangupAfterMs: options.hangupAfterMs }
  const place = { call, plan, stopping: wishToStop() }
  return options.calls === 1 ? await one(place, config, options, out) : await many(place, config, options, out)
}

/** With every word and time. */
async function one(
  place: TestCallOptions,
  config: Config,
  { json, to }: Options,
  out: string | undefined,
): Promise<boolean> {
  const call = withCallSid(place.call)
  const address = addressOf(call)
  const print = json ? () => {} : (line: string) => console.log(line)
  const record = recordOf(call, config, to)
  const transcript = new Transcript(deps.clock, record, print)
  print(transcriptLine(0, '', `calling ${address}`))
  const placed = await placeTestCall(deps, { ...place, call, tell: (...happened) => transcript.tell(...happened) })
  await transcript.written()
  const recording = await store(placed, out)
  const { happenings, rtp } = placed
  const { told } = record
  const figures = figuresOf(happenings, rtp, told)
  const gatewayHeard = figures.answered ? record.arrived : undefined
  if (json) {
    const { entries } = transcript
    const { callSid } = call.parameters
    const document = { address, callSid, ...figures, gatewayHeard, recording, transcript: entries }
    console.log(JSON.stringify(document, null, 2))
  } else {
    print('')
    for (const line of figuresLines(figures, gatewayHeard)) print(line)
    if (recording !== undefined) print(named('recording', `${recording}: left the caller, right the agent`))
  }
  const trouble = troubleOf(figures, happenings, told, address)
  if (trouble !== undefined) console.error(`call: ${trouble}`)
  return trouble === undefined
}

/** Only what they came to. */
async function many(
  place: TestCallOptions,
  config: Config,
  { json, calls, to }: Options,
  out: string | undefined,
): Promise<boolean> {
  const address = addressOf(place.call)
  if (!json) console.log(`placing ${calls} calls to ${address} ...`)
  const placing = Array.from({ length: calls }, async (_, index) => {
    const call = withCallSid(place.call)
    const placed = await placeTestCall(deps, { ...place, call })
    await store(placed, out?.replace(/\.wav$/i, `-${index + 1}.wav`))
    const record = recordOf(call, config, to)
    const { happenings, rtp } = placed
    // Only now: whoever measures does not ask meanwhile.
    if (happenings.some(({ kind }) => kind === 'answered')) await record.lastNews()
    const figures = figuresOf(happenings, rtp, record.told)
    return {
      figures,
      trouble: troubleOf(figures, happenings, record.told, address),
      missing: whyUnchecked(record.told),
    }
  })
  const placed = await Promise.all(placing)
  const summary = summaryOf(placed.map(each => each.figures))
  if (json) console.log(JSON.stringify({ address, ...summary, each: placed.map(each => each.figures) }, null, 2))
  else for (const line of summaryLines(summary)) console.log(line)
  const unchecked = placed.find(({ missing }) => missing !== undefined)?.missing
  if (unchecked !== undefined)
    console.error(`call: Whether it was the agent that was heard is not checked: ${unchecked}`)
  const troubles = placed.map(each => each.trouble).filter(each => each !== undefined)
  for (const trouble of new Set(troubles)) {
    console.error(`call: ${troubles.filter(each => each === trouble).length} of ${calls} calls: ${trouble}`)
  }
  return troubles.length === 0
}

function recordOf(call: ReturnType<typeof withCallSid>, config: Config, to: Callee | undefined): GatewayRecord {
  const { callSid } = call.parameters
  return new GatewayRecord({ clock: deps.clock, opening: openApi(config), callSid, own: to === undefined })
}

function whyUnchecked({ knowledge, missing }: Told): string | undefined {
  return knowledge === 'unchecked' ? missing : undefined
}

/** Asked first, so that nobody waits for a speech program to learn that nobody listens. */
async function isReached({ target, transport, user }: CallOptions): Promise<void> {
  const connection = new Connection({ target, transport })
  const late = () => new Error('no connection')
  try {
    await within(deps.clock, limits.caller.connectMs, connection.opened, late)
  } catch (error) {
    throw new Error(
      remedyFor({ status: undefined, reason: asError(error).message }, addressOf({ user, target, transport })),
    )
  } finally {
    connection.destroy()
  }
}

function speechOptions({ speechCache }: Config, environment: NodeJS.ProcessEnv): FetchOptions {
  const progress = (text: string) => console.error(`call: ${text}`)
  return { cacheDirectory: speechCache, environment, clock: deps.clock, progress }
}

function ownAddress({ sip }: Config): Callee {
  return { user: sip.user, host: '127.0.0.1', port: sip.tcpPort, transport: 'tcp' }
}

async function callOptions(callee: Callee, { from, parameters, headers }: Options): Promise<CallOptions> {
  const { user, host, port, transport } = callee
  const target = { address: await addressOfHost(host), port }
  return { user, target, transport, parameters, headers, ...(from === undefined ? {} : { from }) }
}

async function addressOfHost(host: string): Promise<string> {
  if (isIP(host)) return host
  try {
    return (await lookup(host)).address
  } catch (error) {
    throw new Error(`Nobody knows the host ${host} (${(error as NodeJS.ErrnoException).code}). Check --to.`)
  }
}

/** By it the call is found in the gateway's record; as Twilio makes them. */
function withCallSid(call: CallOptions) {
  const parameters = { callSid: `CA${randomUUID().replaceAll('-', '')}`, ...call.parameters }
  return { ...call, parameters }
}

function addressOf({ user, target, transport }: Pick<CallOptions, 'user' | 'target' | 'transport'>): string {
  return `sip:${user}@${hostPort(target)};transport=${transport}`
}

/** Asked before the call, which would be lost otherwise. */
async function mayWrite(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK)
    await access(path, constants.W_OK).catch(error => {
      if (error.code !== 'ENOENT') throw error
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`The call cannot be written to ${path} (${code}). Name another place: --out /tmp/call.wav`)
  }
}

async function store({ wav }: TestCall, path: string | undefined): Promise<string | undefined> {
  if (path === undefined || !wav) return undefined
  await writeFile(path, wav(), { mode: 0o600 })
  return path
}

/** The first wish hangs up, the next one ends at once. */
function wishToStop(): AbortSignal {
  const stopping = new AbortController()
  let lastMs = Number.NEGATIVE_INFINITY
  const heard = () => {
    const nowMs = deps.clock.now()
    if (nowMs - lastMs < SAME_WISH_MS) return
    lastMs = nowMs
    if (stopping.signal.aborted) process.exit(130)
    stopping.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, heard)
  return stopping.signal
}
