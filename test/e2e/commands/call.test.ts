import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type Segment, segments } from '../../../src/caller/tones.ts'
import { word } from '../../../src/caller/voice.ts'
import type { Entry } from '../../../src/commands/call/transcript.ts'
import { writeStereoWav } from '../../../src/media/wav.ts'
import { seeded } from '../../support/random.ts'
import { greetingHz, House } from '../gateway/house.ts'

/** One after the other: what is told to a few milliseconds would else be of calls that disturb each other. */
vi.setConfig({ testTimeout: 240_000 })

const longReplyHz = 700
const asksForLongReply = 3_100

let house: House
beforeAll(async () => {
  house = await House.open({ database: 'embedded' })
})
afterAll(() => house[Symbol.asyncDispose]())

/** A spoken word whose marker tells the scripted engine what to do, as a file. */
async function spokenFile(markerHz: number): Promise<string> {
  const path = join(house.stateDir, `${markerHz}.wav`)
  const samples = word({ f0: 130, markerHz, ms: 600, level: -16, random: seeded(markerHz) })
  await writeFile(path, writeStereoWav(samples, samples, 8_000))
  return path
}

function run(args: readonly string[], environment: Record<string, string> = {}) {
  const root = join(import.meta.dirname, '../../..')
  const program = [join(root, 'src/commands/call.ts'), ...args]
  const options = { cwd: house.stateDir, env: { ...house.environment, ...environment } }
  return new Promise<{ code: number; stdout: string; stderr: string }>(resolve => {
    execFile(join(root, 'node_modules/node/bin/node'), program, options, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    )
  })
}

/** The loud parts of one channel. */
async function channel(path: string, at: 'left' | 'right', grid: readonly number[]): Promise<Segment[]> {
  const file = await readFile(path)
  const offset = 44 + (at === 'left' ? 0 : 2)
  const samples = Int16Array.from({ length: (file.length - 44) / 4 }, (_, i) => file.readInt16LE(offset + 4 * i))
  return segments(samples, grid).filter(each => each.sound !== 'silence')
}

it('tells a whole conversation in words, figures and sound, all of which agree', async () => {
  const out = join(house.stateDir, 'conversation.wav')
  const brought = [
    '--from',
    '+15550100321',
    '--param',
    'callSid=CA77',
    '--param',
    'patientId=7',
    '--header',
    'X-Note=a b',
  ]
  const call = await run(['--dtmf', '5', await spokenFile(1_300), '--out', out, '--json', ...brought])
  expect(call).toMatchObject({ code: 0, stderr: '' })
  const told = JSON.parse(call.stdout)
  expect(told).toMatchObject({ answered: true, heard: true, callSid: 'CA77', recording: out })
  expect(told.turns.map((turn: { said: string }) => turn.said)).toEqual(['keys 5', expect.stringContaining('1300.wav')])
  expect(told.gatewayHeard.packets).toBeGreaterThan(100)
  // Asterisk takes the packets of keys out of the stream and leaves their numbers missing.
  expect(told.gatewayHeard.lost).toBe(0)

  const entries: Entry[] = told.transcript
  const recorded = entries.flatMap(each => each.recorded ?? [])
  expect(recorded).toEqual([
    { by: 'agent', text: '[tone 440 600ms]' },
    { by: 'caller', text: '[pressed 5]' },
    { by: 'agent', text: '[tone 1250 200ms]' },
    { by: 'caller', text: 'tone 1300' },
    { by: 'agent', text: '[tone 650 800ms]' },
  ])
  const offered = (await house.events()).flatMap(({ fact }) => (fact.name === 'offered' ? [fact.private] : []))
  expect(offered.find(each => each.callerNumber === '+15550100321')).toMatchObject({
    parameters: { callSid: 'CA77', patientId: '7' },
    headers: { 'x-note': 'a b' },
  })

  const heard = tones(await channel(out, 'right', [greetingHz, 1_250, 650]))
  expect(heard.map(each => each.hz)).toEqual([greetingHz, 1_250, 650])
  const [said, ...more] = spans(await channel(out, 'left', []))
  expect(more).toEqual([])
  expect(said!.toMs - said!.fromMs).toBeGreaterThan(560)
  // Sound and figures are of the same call, so they agree to what a packet lasts.
  expect(Math.abs(heard[2]!.fromMs - said!.toMs - told.turns[1].latencyMs)).toBeLessThan(25)
  // Of the greeting too little was known yet to tell a packet that came late from one that did not.
  const [, ...answers] = entries.filter(each => each.kind === 'agentBegan')
  for (const [index, each] of answers.entries()) expect(Math.abs(each.atMs - heard[index + 1]!.fromMs)).toBeLessThan(25)
})

interface Span {
  readonly hz: number
  readonly fromMs: number
  toMs: number
}

/** What is said in one go, also where a machine that is too busy has torn it. */
function spans(parts: readonly Segment[]): Span[] {
  return joined(parts, (last, next) => next.fromMs - last.toMs < 500)
}

/** Each tone once, also where a machine that is too busy has torn it. */
function tones(parts: readonly Segment[]): Span[] {
  return joined(parts, (last, next) => next.hz === last.hz)
}

function joined(parts: readonly Segment[], areOne: (last: Span, next: Segment) => boolean): Span[] {
  const spans: Span[] = []
  for (const part of parts) {
    const last = spans.at(-1)
    if (last && areOne(last, part)) last.toMs = part.toMs
    else spans.push({ ...part })
  }
  return spans
}

it('speaks into an answer, and tells how long the agent went on, as the sound has it', async () => {
  const out = join(house.stateDir, 'interruption.wav')
  const call = await run(['--interrupt', await spokenFile(asksForLongReply), await spokenFile(1_500), '--out', out])
  expect(call).toMatchObject({ code: 0, stderr: '' })
  const [, silentAfterMs = ''] = /agent {3}fell silent (\d+) ms after you began/.exec(call.stdout) ?? []
  const [, interruption] = spans(await channel(out, 'left', []))
  const heard = tones(await channel(out, 'right', [greetingHz, longReplyHz, 750]))
  const cut = heard.find(each => each.hz === longReplyHz)!
  expect(Math.abs(cut.toMs - interruption!.fromMs - Number(silentAfterMs))).toBeLessThan(25)
  expect(call.stdout).toMatch(/^ +\d+\.\d\d {2}agent {3}"\[tone 750 800ms\]" \(\d\.\d s\)$/m)
  expect(call.stdout).toMatch(/^time to answer +\d+ ms\n/m)
  expect(call.stdout).toMatch(/^turns +2 of 2 answered\n/m)
})

it('places calls at once and tells how they were spread; speaks a sentence; without the token tells of the call alone', async () => {
  const speechCache = join(import.meta.dirname, '../../../.parley/speech')
  const [many, alone] = await Promise.all([
    run(['--calls', '3', await spokenFile(1_700)]),
    run(['Hello there', '--hangup-after', '4s'], {
      STATE_DIR: join(house.stateDir, 'nobody'),
      SPEECH_CACHE: speechCache,
    }),
  ])
  expect(many).toMatchObject({ code: 0, stderr: '' })
  expect(many.stdout).toMatch(/^3 calls at once, 3 answered, the agent heard in 3\n/m)
  expect(many.stdout).toMatch(/^latency of a turn( +\d+(\.\d)? ms){4}$/m)
  expect(alone).toMatchObject({ code: 0, stderr: '' })
  expect(alone.stdout).toMatch(/\(what the agent says is not shown: There is no API token in /)
  expect(alone.stdout).toMatch(/^ +\d\.\d\d {2}agent {3}stops \(\d\.\d s\)$/m)
  expect(alone.stdout).toMatch(/^ +\d\.\d\d {2}you {5}"Hello there"$/m)
  expect(alone.stdout).toMatch(/^recording +call\.wav/m)
  const spoken = spans(await channel(join(house.stateDir, 'call.wav'), 'left', []))
  expect(spoken.at(-1)!.toMs - spoken[0]!.fromMs).toBeGreaterThan(400)
})

it('says what to do when it is not let in, and when nobody is there', async () => {
  const address = (user: string, port: number) => ['--to', `sip:${user}@127.0.0.1:${port}`]
  const [lost, nobody] = await Promise.all([
    run(address('nobody', house.sipPort)),
    run([...address('bianca', house.httpPort + 1), '--calls', '2']),
  ])
  expect([lost.code, nobody.code]).toEqual([1, 1])
  expect(lost.stderr).toMatch(/^call: Nobody has this name there\. .*SIP_USER/)
  expect(nobody.stderr).toMatch(/^call: Nobody answers at .*npm start\n$/)
})
