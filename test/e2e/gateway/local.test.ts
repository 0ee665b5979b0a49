import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { throughPhone } from '../../corpus/line.ts'
import { type Callers, openCallers, speechCache } from '../../corpus/voices.ts'
import { House } from './house.ts'

const business = {
  ...parse(readFileSync(join(import.meta.dirname, '../../corpus/business.yaml'), 'utf8')),
  greeting: 'Hello.',
  outbound: { enabled: true, to: ['+1555'] },
}
/** The exhaustive form fills the whole pool. */
const seats = process.env['PARLEY_SOAK'] ? 20 : 2

let callers: Callers
let house: House
let crowded: House
let bare: House
let bareCache: string
/** Where what its recognizers are told lies. */
let crowdedFolder: string
const houses: House[] = []

beforeAll(async () => {
  callers = await openCallers()
  bareCache = await linkedSpeech()
  crowdedFolder = await mkdtemp(join(tmpdir(), 'parley-crowded-'))
  const open = async (environment: Record<string, string>) => {
    const opened = await House.open({ business, environment: { AGENT_ENGINE: 'local', ...environment } })
    houses.push(opened)
    return opened
  }
  ;[house, crowded, bare] = await Promise.all([
    open({}),
    open({ LOCAL_CALLS: String(seats), LOCAL_BUSY: 'refuse', TMPDIR: crowdedFolder }),
    open({ LOCAL_CALLS: '1', SPEECH_CACHE: bareCache }),
  ])
})
afterAll(async () => {
  for (const each of houses) await each[Symbol.asyncDispose]()
  for (const folder of [bareCache, crowdedFolder]) await rm(folder, { recursive: true, force: true })
})

/** The fetched programs under another name, so that one of them can be taken away. */
async function linkedSpeech(): Promise<string> {
  const cache = await mkdtemp(join(tmpdir(), 'parley-linked-speech-'))
  for (const name of await readdir(speechCache)) {
    if (!name.startsWith('flite')) continue
    const [from, to] = [join(speechCache, name), join(cache, name)]
    await mkdir(join(to, 'root/usr'), { recursive: true })
    await cp(join(from, 'manifest.json'), join(to, 'manifest.json'))
    await cp(join(from, 'root/usr/bin'), join(to, 'root/usr/bin'), { recursive: true })
    for (const folder of ['lib', 'share']) await symlink(join(from, 'root/usr', folder), join(to, 'root/usr', folder))
  }
  return cache
}

/** Two people who take their time. */
const CONVERSATION_MS = 120_000

let numbers = 0

/** A caller who speaks, and follows by the record how far the agent is. */
class Conversation {
  readonly house: House
  readonly call: Call
  readonly from: string
  #spoken = 0

  private constructor(where: House, call: Call, from: string) {
    this.house = where
    this.call = call
    this.from = from
  }

  static async begin(where: House): Promise<Conversation> {
    const from = `+1555010${String(1_000 + numbers++)}`
    return new Conversation(where, await where.dial({ from }), from)
  }

  async events(): Promise<CallEvent[]> {
    const all = await this.house.events()
    const own = all.find(({ fact }) => fact.name === 'offered' && fact.private.callerNumber === this.from)
    return all.filter(({ call }) => call === own?.call)
  }

  async facts<N extends CallFact['name']>(name: N): Promise<Extract<CallFact, { name: N }>[]> {
    return (await this.events()).map(({ fact }) => fact).filter(fact => fact.name === name) as never
  }

  /** What the agent says next, when all of it was heard. Of what it began while the caller was only taking breath nothing was. */
  async answer(): Promise<string> {
    const before = this.#spoken
    const heard = async () => (await this.facts('agentSpoke')).filter(fact => fact.private.text !== '')
    await this.house.until(async () => (await heard()).length > before)
    const spoken = await heard()
    this.#spoken = spoken.length
    return spoken.map(fact => fact.private.text).at(-1) ?? ''
  }

  /** Says it again when it was not understood, as people do. */
  async say(text: string): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.sayOnce(text, attempt)
      if (!answer.startsWith('Sorry, I did not') || attempt === 3) return answer
    }
  }

  async sayOnce(text: string, attempt = 1): Promise<string> {
    await this.call.play(throughPhone(await callers.speak(text, 'flite rms'), numbers + attempt))
    return this.answer()
  }

  async has(name: CallFact['name']): Promise<void> {
    await this.house.until(async () => (await this.facts(name)).length > 0)
  }
}

it.concurrent(
  'a conversation of eight turns ends in a stored message',
  async () => {
    const caller = await Conversation.begin(house)
    expect(await caller.answer()).toMatch(/^This is the built-in demo engine\./)
    expect(await caller.say('hello')).toMatch(/help you/)
    expect(await caller.say('how much is a cleaning')).toMatch(/120 dollars/)
    expect(await caller.say('could you repeat that please')).toMatch(/120 dollars/)
    expect(await caller.say('can you take a message please')).toMatch(/say your message/)
    expect(await caller.say('please call me back tomorrow')).toMatch(/^I heard: .*Shall I pass that on\?$/)
    expect(await caller.say('yes')).toMatch(/number you are calling from/)
    expect(await caller.say('yes please')).toMatch(/^Thank you\. It is noted\./)
    expect(await caller.say('thank you goodbye')).toMatch(/Goodbye\.$/)
    expect(await caller.call.ended).toMatchObject({ by: 'callee', how: 'bye' })
    const [message] = await caller.facts('messageTaken')
    expect(message?.private).toMatchObject({ callback: caller.from, text: expect.stringMatching(/call me|tomorrow/) })
    // Words and numbers of callers stand in the journal alone.
    expect(house.log.filter(line => line.includes(caller.from) || line.includes('call me'))).toEqual([])
  },
  CONVERSATION_MS,
)

it.concurrent(
  'a conversation of eight turns ends in a request for an appointment',
  async () => {
    const caller = await Conversation.begin(house)
    await caller.answer()
    expect(await caller.say('hello')).toMatch(/help you/)
    expect(await caller.say('how long does a root canal take')).toMatch(/90 minutes/)
    expect(await caller.say('i would like an appointment')).toMatch(/which day/)
    expect(await caller.say('on saturday')).toMatch(/closed on Saturday/)
    expect(await caller.say('on thursday')).toMatch(/At what time on Thursday/)
    expect(await caller.say('at half past two')).toMatch(/on Thursday at 2 30 PM\. Is that right\?/)
    expect(await caller.say('yes please')).toMatch(/It is noted/)
    expect(await caller.say('goodbye')).toMatch(/Goodbye/)
    expect(await caller.call.ended).toMatchObject({ by: 'callee', how: 'bye' })
    const [request] = await caller.facts('appointmentRequested')
    expect(request?.private).toMatchObject({ time: '14:30', date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) })
  },
  CONVERSATION_MS,
)

it.concurrent(
  'whoever wants to be called no more is understood, told that it is so, and on the list',
  async () => {
    const caller = await Conversation.begin(house)
    await caller.answer()
    expect(await caller.say('please do not call me again')).toMatch(/^You will not be called again\./)
    expect(await caller.say('goodbye')).toMatch(/Goodbye/)
    expect((await caller.facts('callsForbidden'))[0]?.private).toEqual({ number: caller.from })
    const listed = async () => {
      const path = `/v1/do-not-call?number=${encodeURIComponent(caller.from)}`
      return (await house.get<{ numbers: unknown[] }>(path)).body.numbers
    }
    await house.until(async () => (await listed()).length === 1)
  },
  CONVERSATION_MS,
)

it.concurrent(
  'whoever would rather leave a message in their own voice is asked for it',
  async () => {
    const caller = await Conversation.begin(house)
    await caller.answer()
    expect(await caller.say('i would like to leave a voicemail')).toBe('Of course.')
    await caller.has('messageAsked')
    expect(await caller.facts('messageAsked')).toEqual([{ name: 'messageAsked', by: 'agent' }])
    await caller.call.hangup()
  },
  CONVERSATION_MS,
)

it.concurrent('a call whose recognizer is killed is asked for a message, and the next one is served', async () => {
  const caller = await Conversation.begin(crowded)
  await caller.answer()
  for (const pid of recognizersOf(crowded.pid)) process.kill(pid, 'SIGKILL')
  await caller.has('messageAsked')
  expect(await caller.facts('degraded')).toMatchObject([
    { code: 'ENGINE_FAILED', detail: expect.stringContaining('pocketsphinx has ended (SIGKILL)') },
  ])
  await caller.call.hangup()
  await crowded.isEmpty()
  const calls = await Promise.all(Array.from({ length: seats }, () => Conversation.begin(crowded)))
  await Promise.all(calls.map(each => each.answer()))
  expect(recognizersOf(crowded.pid).length).toBeGreaterThanOrEqual(seats)
  const beyond = await Conversation.begin(crowded)
  expect(await beyond.call.answered).toMatchObject({ status: 503 })
  await beyond.has('degraded')
  expect(await beyond.facts('degraded')).toMatchObject([{ code: 'CAPACITY' }])
  const answers = await Promise.all(calls.map(each => each.say('where are you located')))
  expect(answers.filter(answer => answer.includes('Harbour Street'))).toHaveLength(seats)
  await Promise.all(calls.map(each => each.call.hangup()))
  await crowded.isEmpty()
  // Those that wait for the next calls.
  await crowded.until(async () => recognizersOf(crowded.pid).length <= 2)
  // Of those that were killed nothing is left.
  await crowded.until(async () => (await readdir(crowdedFolder)).length <= 2)
})

it.concurrent('a call beyond the bound hears why; without the speech program a caller gets the fallback', async () => {
  const first = await Conversation.begin(bare)
  await first.answer()
  const second = await Conversation.begin(bare)
  expect(await second.answer()).toMatch(/as many calls as it can take/)
  await second.has('messageAsked')
  await Promise.all([first.call.hangup(), second.call.hangup()])
  await bare.isEmpty()
  for (const name of await readdir(bareCache)) await rm(join(bareCache, name, 'root/usr/bin/flite'))
  const third = await Conversation.begin(bare)
  // What was said before is still known by heart.
  expect(await third.answer()).toMatch(/built-in demo engine/)
  for (let failure = 0; failure < 3; failure++) await third.sayOnce('where are you located')
  await third.has('handedBack')
  expect((await third.facts('degraded'))[0]?.detail).toMatch(/flite made no sound: it is not there any more/)
  await third.call.hangup()
})

/** The programs that a gateway has started and that run. */
function recognizersOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const [, state, ppid] = /\) (\S) (\d+)/.exec(stat) ?? []
        const runs = state !== 'Z' && Number(ppid) === parent
        return runs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('pocketsphinx_batch')
      } catch {
        return false
      }
    })
}
