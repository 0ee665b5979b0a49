import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { type Call, placeCall } from '../src/caller/call.ts'
import { segments } from '../src/caller/tones.ts'
import { pause, systemClock } from '../src/clock.ts'
import { readConfig } from '../src/config.ts'
import { Wheel } from '../src/media/wheel.ts'

/** What the proofs of the ways to run share: commands, patience, and calls to this machine. */

const portNames = ['SIP_TCP_PORT', 'SIP_UDP_PORT', 'RTP_PORT_START', 'RTP_PORT_END', 'HTTP_PORT', 'ARI_PORT']

/** The default ports, or those of this environment where they are taken. */
export const { sip, rtp, http, ari } = readConfig(process.env)
export const api = `http://127.0.0.1:${http.port}`

/** A file of settings: the ports of this environment, and others. */
export function settingsFile(settings: Readonly<Record<string, string>> = {}): string {
  const ports = portNames.flatMap(name => (process.env[name] ? [[name, process.env[name]]] : []))
  return [...ports, ...Object.entries(settings)].map(([name, value]) => `${name}=${value}\n`).join('')
}

const wheel = new Wheel(systemClock)
const greetingHz = 440

/** Of a business whose greeting can be measured. */
export const businessFile = `name: House of proof\ngreeting: '[tone ${greetingHz} 600ms]'\n`

/** Runs to the end; what it prints is returned, and shown when it fails. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.on('data', data => (output += data))
  child.stderr.on('data', data => (errors += data))
  const code = await new Promise(resolve => child.once('close', resolve))
  if (code !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${(output + errors).slice(-4_000)}`)
  return output.trim()
}

export async function until(what: string, seconds: number, condition: () => Promise<boolean>): Promise<void> {
  const untilMs = systemClock.now() + seconds * 1_000
  while (!(await condition())) {
    if (systemClock.now() > untilMs) throw new Error(`not within ${seconds} s: ${what}`)
    await pause(systemClock, 100)
  }
}

/** 0 when nobody answers. */
export function statusOf(address: string): Promise<number> {
  return fetch(address).then(
    answer => answer.status,
    () => 0,
  )
}

export function dial(): Promise<Call> {
  const target = { address: '127.0.0.1', port: sip.tcpPort }
  return placeCall({ clock: systemClock, wheel, random: Math.random }, { target, transport: 'tcp', user: 'bianca' })
}

/** A call that was answered and has heard the greeting. */
export async function greeted(): Promise<Call> {
  const call = await dial()
  const answer = await call.answered
  assert.equal(answer.kind, 'answered', `a call was not answered: ${JSON.stringify(answer)}`)
  await call.hearsTone(greetingHz, { forMs: 400 })
  return call
}

/** A gateway that is back within the lease takes its callers over, and speaks. */
export async function hearsAWord(call: Call, sinceMs: number): Promise<void> {
  await until('the caller hears a word', 15, async () => {
    const audible = segments(call.heard(sinceMs), []).filter(segment => segment.sound !== 'silence')
    return audible.reduce((sum, segment) => sum + segment.toMs - segment.fromMs, 0) > 300
  })
}

/** A gateway that was told to stop takes no new call, and lets this one go on. */
export async function drains(call: Call): Promise<void> {
  await until('new calls are refused', 20, async () => {
    const answer = await (await dial()).answered
    return answer.kind === 'refused' && answer.status === 503
  })
  const sinceMs = call.heardMs
  await until('the call goes on', 5, async () => call.heardMs - sinceMs > 1_000)
}
