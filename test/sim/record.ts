import type { CallEvent } from '../../src/call/events.ts'
import type { SimCaller } from './caller.ts'
import { FILLER_MS } from './plan.ts'

/** What must be true of the events of any call, whatever happened to it. */
export function checkRecord(caller: SimCaller, events: readonly CallEvent[], blame: (message: string) => void): void {
  const names = events.map(({ fact }) => fact.name)
  const count = (name: string) => names.filter(each => each === name).length
  const isForged = events.some(({ fact }) => fact.name === 'refused' && fact.reason === 'forged')
  if (isForged !== caller.plan.forged && names[0] !== 'refused')
    blame(`forged: ${caller.plan.forged}, refused as that: ${isForged}`)
  if (isForged) return names.join() === 'degraded,refused' ? undefined : blame(`forged, and told as ${names.join()}`)
  if (names[0] === 'refused') return names.length === 1 ? undefined : blame(`refused, and then ${names[1]}`)
  if (names[0] !== 'offered') blame(`the first event is ${names[0]}`)
  if (names.at(-1) !== 'ended') blame(`the last event is ${names.at(-1)}`)
  for (const once of ['offered', 'ended']) if (count(once) !== 1) blame(`${once} ${count(once)} times`)
  // Each return is by a line of its own.
  for (const atMostOnce of ['takenOver', 'mediaOpened', 'answered', 'handedBack', 'mediaClosed']) {
    const times = atMostOnce.startsWith('media') ? 1 + count('returned') : 1
    if (count(atMostOnce) > times) blame(`${atMostOnce} ${count(atMostOnce)} times`)
  }
  checkOrder(caller, names, blame)
  checkTimes(events, blame)
  checkEnd(caller, events, blame)
  checkWhoSpoke(caller, events, blame)
  checkKeys(events, blame)
  checkTransfers(caller, events, blame)
  checkArrivals(caller, events, blame)
  // A media thread that dies takes with it what it knew.
  const threadDied = events.some(({ fact }) => fact.name === 'degraded' && fact.code === 'MEDIA_FAILED')
  if (caller.isClean && !threadDied) checkWhatWasHeard(caller, events, blame)
}

const needAnAnswer = [
  'callerSpoke',
  'agentSpoke',
  'turnAnswered',
  'replyTimed',
  'agentPaused',
  'agentResumed',
  'agentInterrupted',
]

function checkOrder({ plan }: SimCaller, names: readonly string[], blame: (message: string) => void): void {
  if (plan.takenOver && names[1] !== 'takenOver') blame(`the second event of a take-over is ${names[1]}`)
  const opened = names.indexOf('mediaOpened')
  const answered = plan.takenOver ? opened : names.indexOf('answered')
  if (answered >= 0 && (opened < 0 || opened > answered)) blame('answered before the media was there')
  for (const [at, name] of names.entries()) {
    if (needAnAnswer.includes(name) && (answered < 0 || at < answered)) blame(`${name} before the call was answered`)
  }
  let paused = false
  for (const name of names) {
    if (name === 'agentResumed' && !paused) blame('agentResumed without agentPaused')
    if (name === 'agentPaused') paused = true
    if (name === 'agentResumed') paused = false
  }
}

function checkTimes(events: readonly CallEvent[], blame: (message: string) => void): void {
  for (let at = 1; at < events.length; at++) {
    if (events[at]!.atMs < events[at - 1]!.atMs) blame(`${events[at]!.fact.name} came before its time`)
  }
}

/** How the caller's channel ended is what the record says, and no caller is forgotten. */
function checkEnd(caller: SimCaller, events: readonly CallEvent[], blame: (message: string) => void): void {
  const { fact } = events.at(-1)!
  if (fact.name !== 'ended') return
  const { troubles } = caller.plan.leg
  const { reason } = fact
  const unable = troubles.handBack !== undefined || troubles.hangup !== undefined
  if (!caller.fate && !unable) blame(`ended (${reason}), and the caller is still there`)
  // An operator, a drain or a failure may cut the agent short; the agent itself never does.
  if ((reason === 'agentHungUp' || reason === 'handedBack') && caller.fate !== 'hungUpByCaller' && caller.cutMs > 0)
    blame(`${caller.cutMs} ms of the last word came after the end (${reason})`)
  const said = events.findLast(each => each.fact.name === 'agentSpoke')?.fact
  if (reason === 'agentHungUp' && said?.name === 'agentSpoke' && !said.complete)
    blame(`hung up in the middle of "${said.private.text}"`)
  if (reason === 'callerHungUp' && caller.fate !== 'hungUpByCaller') blame('the caller is said to have hung up')
  const handedBack = events.some(each => each.fact.name === 'handedBack')
  if (handedBack && caller.fate !== 'handedBack') blame('said to have been handed back')
  // Who loses somebody else after the gateway has let them go is the dialplan's.
  const letGo = reason === 'transferred'
  if (!handedBack && caller.fate === 'handedBack' && !unable && !letGo)
    blame(`given back without a word of it (${reason})`)
  if (fact.durationMs < 0) blame(`lasted ${fact.durationMs} ms`)
}

/** Each attempt is told once from its beginning to its one end, one at a time, and never of another call's. */
function checkTransfers(caller: SimCaller, events: readonly CallEvent[], blame: (message: string) => void): void {
  let running: number | undefined
  let attempts = 0
  let connected = false
  for (const { fact } of events) {
    switch (fact.name) {
      case 'transferBegan':
        if (running !== undefined) blame(`attempt ${fact.attempt} began within ${running}`)
        if (fact.attempt !== attempts + 1) blame(`attempt ${fact.attempt} came after ${attempts}`)
        attempts = fact.attempt
        running = fact.attempt
        break
      case 'transferRang':
      case 'transferAnswered':
        if (fact.attempt !== running) blame(`${fact.name} of ${fact.attempt}, while ${running} ran`)
        break
      case 'transferEnded':
        if (fact.attempt !== running) blame(`attempt ${fact.attempt} ended (${fact.outcome}), while ${running} ran`)
        running = undefined
        connected = fact.outcome === 'connected'
        break
      case 'returned':
        if (!connected) blame('returned from nowhere')
        connected = false
        break
      case 'agentSpoke':
      case 'callerSpoke':
        if (connected) blame(`${fact.name} while the caller was with somebody else`)
    }
  }
  if (running !== undefined) blame(`nobody was told how attempt ${running} ended`)
  const last = events.at(-1)!.fact
  if (last.name === 'ended' && last.reason === 'transferred' && !connected) blame('transferred to nobody')
  if (caller.fate === 'hungUpByFar' && !connected) blame('hung up by somebody with whom they were not connected')
}

function checkWhoSpoke(caller: SimCaller, events: readonly CallEvent[], blame: (message: string) => void): void {
  const last = events.findLast(({ fact }) => fact.name === 'callerSpoke')
  // Nobody listens to the rest of a word when it is decided that somebody else is to.
  const isAway = awayIn(events)
  for (const event of events) {
    const { fact } = event
    if (fact.name !== 'callerSpoke' || !caller.isClean || (event === last && caller.inMidWord)) continue
    if (isAway(event.atMs)) continue
    const foreign = [...fact.private.text.matchAll(/tone (\d+)/g)].filter(([, hz]) => Number(hz) !== caller.markerHz)
    if (foreign.length > 0) blame(`heard the caller say "${fact.private.text}", whose marker is ${caller.markerHz} Hz`)
  }
}

/** So long after the last of them, keys are part of a turn that has been answered, however slow the engine. */
const KEYS_TAKEN_MS = 10_000

/** What the agent took the caller to have pressed is what they pressed, one after the other, and all of it in the end. */
function checkKeys(events: readonly CallEvent[], blame: (message: string) => void): void {
  const pressed = events.flatMap(({ fact, atMs }) =>
    fact.name === 'digitPressed' ? [{ atMs, digit: fact.private.digit }] : [],
  )
  const told = events.flatMap(({ fact }) =>
    fact.name === 'callerSpoke' ? [...fact.private.text.matchAll(/\[pressed (\S+)\]/g)].map(([, keys]) => keys) : [],
  )
  const missed = missedOf(pressed, [...told.join('')])
  if (pressed.length - missed.length < told.join('').length)
    blame(`told to have pressed ${told}, and pressed ${pressed.map(each => each.digit)}`)
  const endMs = events.at(-1)!.atMs
  // Who is on the way to somebody else, or was just told so, presses them for nobody.
  const isAway = awayIn(events)
  const forgottenOf = (missed: typeof pressed) =>
    missed.filter(({ atMs }) => endMs - atMs > KEYS_TAKEN_MS && !isAway(atMs))
  const forgotten = forgottenOf(missed)
  // The same keys may have been pressed once for nobody and once for us: then they are the later ones.
  const latest = missedOf(pressed.toReversed(), [...told.join('')].reverse())
  if (forgotten.length > 0 && forgottenOf(latest).length > 0)
    blame(`pressed ${forgotten.map(each => each.digit)}, and nobody took it (told: ${told})`)
}

/** Those that are not among the told ones, which are found as early as they can be. */
function missedOf<T extends { readonly digit: string }>(pressed: readonly T[], told: readonly string[]): T[] {
  let next = 0
  return pressed.filter(({ digit }) => {
    if (told[next] !== digit) return true
    next += 1
    return false
  })
}

const LAST_WORDS_MS = 8_000

/** Tells of a moment whether the caller was on the way to somebody else, or just being told so. */
function awayIn(events: readonly CallEvent[]): (atMs: number) => boolean {
  const away = events.flatMap(({ fact, atMs: fromMs }) => {
    if (fact.name !== 'transferBegan') return []
    const end = events.find(each => each.fact.name === 'transferEnded' && each.fact.attempt === fact.attempt)
    return [[fromMs - LAST_WORDS_MS, end?.atMs ?? Number.POSITIVE_INFINITY] as const]
  })
  return atMs => away.some(([fromMs, toMs]) => atMs > fromMs && atMs <= toMs)
}

/** Each packet that reached the line is counted, and none from elsewhere taken for the caller's. */
function checkArrivals({ ledgers }: SimCaller, events: readonly CallEvent[], blame: (message: string) => void): void {
  const closed = events.flatMap(({ fact }) => (fact.name === 'mediaClosed' ? [fact.figures.received] : []))
  // Of a line whose thread has died nothing is told.
  if (closed.length !== ledgers.length) return
  for (const [at, { told }] of ledgers.entries()) {
    const { packets, strangers } = closed[at]!
    if (!told) continue
    if (strangers !== told.strangers) blame(`${strangers} strangers counted of ${told.strangers}`)
    if (packets > told.fromPeer) blame(`${packets} packets taken, and ${told.fromPeer} have come`)
  }
}

const FRAME_MS = 20

/** What the record says was heard is what arrived. Fillers, which are no part of it, may stand between. */
function checkWhatWasHeard(caller: SimCaller, events: readonly CallEvent[], blame: (message: string) => void): void {
  const heardMs = caller.spokenMs
  const told = events.flatMap(({ fact }) => (fact.name === 'agentSpoke' ? [fact] : []))
  let next = 0
  for (const { ms, complete, private: words } of told) {
    const found = heardMs.findIndex((heard, at) => at >= next && Math.abs(heard - ms) <= FRAME_MS)
    if (found < 0) return blame(`told as spoken: ${told.map(each => each.ms)} ms; heard: ${heardMs} ms`)
    if (heardMs.slice(next, found).some(ms => ms > FILLER_MS + FRAME_MS))
      return blame(`heard and not told: ${heardMs.slice(next, found)} ms`)
    next = found + 1
    const wholeMs = [...words.text.matchAll(/\[tone \d+ (\d+)ms\]/g)].reduce((sum, [, each]) => sum + Number(each), 0)
    if (complete && Math.abs(wholeMs - ms) > FRAME_MS) blame(`"${words.text}" took ${ms} ms`)
  }
  // The last of all may have been cut off with the call.
  if (heardMs.slice(next).some(ms => ms > FILLER_MS + FRAME_MS)) blame(`heard and not told: ${heardMs.slice(next)} ms`)
}
