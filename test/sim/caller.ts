import { defaultSettings } from '../../src/agent/settings.ts'
import type { Line } from '../../src/call/ports.ts'
import { Sender } from '../../src/caller/sender.ts'
import { type Clock, pause } from '../../src/clock.ts'
import { FRAME_MS } from '../../src/media/audio.ts'
import { PAYLOAD_TYPE, parseRtp, RtpPacket } from '../../src/media/rtp.ts'
import type { Wheel } from '../../src/media/wheel.ts'
import type { PlaneSocket } from '../../src/plane/sockets.ts'
import type { Ledger } from './ledger.ts'
import type { CallPlan, Doing } from './plan.ts'
import { cough, shareOfTone, spokenWord, type Voice } from './sounds.ts'
import type { FarEnd, SimLeg } from './telephony.ts'

export interface CallerSurroundings {
  readonly clock: Clock
  readonly random: () => number
  readonly wheel: Wheel
  readonly voice: Voice
  readonly ledger: (port: number) => Ledger | undefined
  readonly note: (what: string) => void
  readonly blame: (message: string) => void
}

export type CallerFate = 'hungUpByCaller' | 'hungUpByGateway' | 'handedBack' | 'hungUpByFar'

/** Between the packets' end and the trunk's notice of it. */
const UNNOTICED_MS = 2_500
const SETTLED_MS = 300
const PATIENCE_MS = 3_000
const DIGITS_PAYLOAD_TYPE = 101
/** Until a voice that has ended is known to have: the hangover of voice activity, and what waits for the end of a frame. */
const NOTICED_MS = 240 + 2 * FRAME_MS
/** Until the scripted recognizer is sure that a word is over. */
const RECOGNIZED_MS = 300 + 2 * FRAME_MS
/** Of the longest message between the threads, there and back, and of the frame that is under way. */
const THREADS_MS = 2 * 3 + FRAME_MS

/** As it is where the simulated business is. */
const RINGING_HZ = 400
const BETWEEN_RINGS_MS = 2_000 + FRAME_MS
const RINGS_WITHIN_MS = 1_000
/** What was handed over of a ring when the far end's own sound began. */
const HUSHED_MS = 300 + 2 * FRAME_MS

/** A caller in virtual time: does what the plan says, and hears whether all is well. */
export class SimCaller implements FarEnd {
  readonly plan: CallPlan
  readonly #with: CallerSurroundings
  readonly #packet = new RtpPacket()
  readonly #sequences = new Set<number>()
  readonly #actor = new AbortController()
  /** Milliseconds heard of each utterance, in the order in which they were said; each line has utterances of its own. */
  readonly heardMs = new Map<string, number>()
  /** Those of them that rang. */
  readonly #rings = new Set<string>()
  #lines = 0
  /** Whom they hear. */
  #hears: 'line' | 'far' = 'line'
  #hearsSinceMs = 0
  /** The line has sound all the same. */
  #spokeIntoMs: number | undefined
  /** Somebody is called for them, and it has not rung yet. */
  #dialledAtMs: number | undefined
  /** It rang last: what follows may be the silence between two rings. */
  #ringing = false
  fate: CallerFate | undefined
  leg: SimLeg | undefined
  ledger: Ledger | undefined
  /** Of each line that they have had. */
  readonly ledgers: Ledger[] = []
  /** When the caller could first have heard something. */
  audibleMs: number | undefined
  firstHeardMs: number | undefined
  /** The call ended before all of what they said last was recognized: a first guess at it may be wrong. */
  inMidWord = false
  /** Speech that came when the call was over for them. */
  cutMs = 0
  #socket: PlaneSocket | undefined
  #line: Line | undefined
  #sender: Sender | undefined
  #answered = false
  #quietSinceMs = 0
  #heardAtMs = 0
  #saidAtMs = 0
  /** For the answer to a word. */
  #waiting = false
  /** Keys stay part of a turn until an answer to it is heard. */
  #pressed = false
  /** We are on hold. */
  #holds = false
  #blamedQuiet = false

  constructor(plan: CallPlan, surroundings: CallerSurroundings) {
    this.plan = plan
    this.#with = surroundings
  }

  get markerHz(): number {
    return this.#with.voice.markerHz
  }

  /** From the moment at which the leg was offered. */
  begin(leg: SimLeg): void {
    this.leg = leg
    const { clock } = this.#with
    void pause(clock, this.plan.leavesAfterMs, this.#actor.signal).then(
      () => this.#leaveAsPlanned(),
      () => {},
    )
  }

  connected(socket: PlaneSocket, line: Line): void {
    this.#lines += 1
    this.#sequences.clear()
    this.#hearsNothing()
    this.#socket = socket
    this.#line = line
    this.ledger = this.#with.ledger(line.local.port)
    // None of a line whose thread has died meanwhile.
    if (this.ledger) this.ledgers.push(this.ledger)
    if (this.plan.takenOver || this.#answered) this.#hearsAndSpeaks()
  }

  answered(): void {
    this.#answered = true
    if (!this.#socket) this.#with.blame('answered, and the media was not connected')
    else this.#hearsAndSpeaks()
  }

  dialling(): void {
    this.#dialledAtMs = this.#with.clock.now()
  }

  hears(whom: 'far' | 'line'): void {
    this.note(`hears the ${whom}`)
    this.#checkHushed(this.plan.leg.tookMs.close / 4)
    this.#hears = whom
    this.#hearsSinceMs = this.#with.clock.now()
    this.#quietSinceMs = this.#hearsSinceMs
    this.#dialledAtMs = undefined
  }

  joined(): void {
    this.note('is with the far end')
    this.#checkHushed(0)
    this.#hearsNothing()
    this.#sender?.stop()
    this.#sender = undefined
  }

  parted(): void {
    this.#end('hungUpByFar')
  }

  #hearsNothing(): void {
    this.#hears = 'line'
    this.#dialledAtMs = undefined
    this.#ringing = false
  }

  hungUp(): void {
    this.#end('hungUpByGateway')
  }

  handedBack(): void {
    this.#end('handedBack')
  }

  leaves(): void {
    if (this.fate) return
    this.#end('hungUpByCaller')
    this.leg?.leave()
  }

  note(what: string): void {
    this.#with.note(what)
  }

  #leaveAsPlanned(): void {
    if (!this.plan.vanishes) return this.leaves()
    this.note('vanishes')
    this.#sender?.stop()
    this.#sender = undefined
    void pause(this.#with.clock, UNNOTICED_MS, this.#actor.signal).then(
      () => this.leaves(),
      () => {},
    )
  }

  #end(fate: CallerFate): void {
    if (this.fate) return
    this.fate = fate
    this.inMidWord = this.#with.clock.now() < this.#saidAtMs + RECOGNIZED_MS + this.plan.engine.latencyMs.recognizer
    this.note(fate)
    this.#sender?.stop()
    this.#sender = undefined
    this.#actor.abort()
  }

  #hearsAndSpeaks(): void {
    if (this.fate || this.#sender) return
    const { clock, wheel, random } = this.#with
    const { law } = this.plan
    const line = this.#line!
    const socket = this.#socket!
    if (this.ledger) this.ledger.audible = true
    this.audibleMs = clock.now()
    this.#quietSinceMs = clock.now()
    this.#sender = new Sender({ clock, wheel, random }, 20, packet => socket.send(packet, line.local))
    this.#sender.start({ law, payloadType: PAYLOAD_TYPE[law], digitsPayloadType: DIGITS_PAYLOAD_TYPE })
    void this.#act(this.#sender).catch(error => {
      if (!this.#actor.signal.aborted) throw error
    })
  }

  async #act(sender: Sender): Promise<void> {
    const { clock } = this.#with
    for (const doing of this.plan.doings) {
      // Whoever is back begins anew, by another line.
      if (sender !== this.#sender) return
      await this.#do(doing, sender)
      await pause(clock, 100, this.#actor.signal)
    }
  }

  async #do(doing: Doing, sender: Sender): Promise<void> {
    const { clock, voice } = this.#with
    const { signal } = this.#actor
    if (doing.kind === 'say' && doing.answers) await this.#untilQuiet()
    this.note(doing.kind === 'press' ? `press ${doing.keys}` : `${doing.kind} ${doing.ms}`)
    switch (doing.kind) {
      case 'say':
        this.#waiting = true
        return this.#make(spokenWord(voice, doing.ms), doing.ms, sender)
      case 'cough':
        return this.#make(cough(doing.ms), doing.ms, sender)
      case 'wait':
        return pause(clock, doing.ms, signal)
      case 'mute':
      case 'hold': {
        sender.silence(true)
        this.#holds = doing.kind === 'hold'
        if (this.#holds) this.leg?.happen({ kind: 'held' })
        await pause(clock, doing.ms, signal)
        if (this.#holds) {
          this.#holds = false
          this.leg?.happen({ kind: 'unheld' })
          // Who put us on hold hears nothing of us meanwhile, and is not spoken to.
          this.#quietSinceMs = clock.now()
        }
        sender.silence(false)
        return
      }
      case 'press':
        for (const digit of doing.keys) {
          await sender.outgoing.press(digit)
          if (signal.aborted) return
          this.#pressed = true
          this.#ringing = false
          this.#quietSinceMs = clock.now()
          this.leg?.happen({ kind: 'digit', digit, heldMs: 100 })
          await pause(clock, 100, signal)
        }
    }
  }

  async #make(sound: Int16Array, ms: number, sender: Sender): Promise<void> {
    this.#saidAtMs = this.#with.clock.now() + ms
    this.#ringing = false
    this.#quietSinceMs = this.#saidAtMs
    void sender.outgoing.say(sound)
    await pause(this.#with.clock, ms, this.#actor.signal)
  }

  /** The agent has said something since the caller last did and is done, or says nothing at all. */
  async #untilQuiet(): Promise<void> {
    const { clock } = this.#with
    const patientUntilMs = clock.now() + PATIENCE_MS
    for (;;) {
      await pause(clock, 40, this.#actor.signal)
      const answered = this.#heardAtMs > this.#saidAtMs || clock.now() > patientUntilMs
      if (answered && clock.now() > this.#heardAtMs + SETTLED_MS) return
    }
  }

  received(datagram: Uint8Array, port: number): void {
    const { voice, clock } = this.#with
    // A late packet of the line that had this port before; the PBX would not take it either.
    if (port !== this.#line?.local.port) return
    const packet = parseRtp(datagram, this.#packet)!
    if (this.#sequences.has(packet.sequence)) return
    this.#sequences.add(packet.sequence)
    const said = this.ledger?.said(packet.sequence)
    const utterance = `${this.#lines} ${said?.utterance}`
    if (said) this.heardMs.set(utterance, (this.heardMs.get(utterance) ?? 0) + said.ms)
    if (said && this.fate) this.cutMs += said.ms
    const payload = datagram.subarray(packet.start, packet.end)
    const share = shareOfTone(this.plan.law, payload, voice.toneHz)
    const rings = share !== undefined && share < 0.5 && shareOfTone(this.plan.law, payload, RINGING_HZ)! > 0.5
    if (rings) this.#rings.add(utterance)
    if (this.#hears === 'far') return said && this.#spokeInto()
    if (share === undefined) return this.#checkQuiet()
    if (share < 0.5 && !rings) this.#with.blame(`heard something that is not its own tone of ${voice.toneHz} Hz`)
    if (rings) this.#dialledAtMs = undefined
    this.#ringing = rings
    this.firstHeardMs ??= clock.now()
    this.#heardAtMs = clock.now()
    if (this.#heardAtMs > this.#saidAtMs) this.#waiting = false
    this.#quietSinceMs = Math.max(this.#quietSinceMs, clock.now())
  }

  /** Of what the agent has said to them. */
  get spokenMs(): number[] {
    return [...this.heardMs].filter(([utterance]) => !this.#rings.has(utterance)).map(([, ms]) => ms)
  }

  #spokeInto(): void {
    const { clock } = this.#with
    if (clock.now() > this.#hearsSinceMs + HUSHED_MS + this.#wayMs) this.#spokeIntoMs ??= clock.now()
  }

  /** Two things would be heard at once, had the PBX not taken the line away; it sounds again before it is given back. */
  #checkHushed(switchingMs: number): void {
    const ms = this.#with.clock.now() - (this.#spokeIntoMs ?? Number.POSITIVE_INFINITY)
    this.#spokeIntoMs = undefined
    if (ms > switchingMs + this.#wayMs) this.#with.blame('the line goes on while the far end is heard')
  }

  /** Nobody has said anything for longer than it should take the agent to say something. */
  #checkQuiet(): void {
    const quietMs = this.#with.clock.now() - this.#quietSinceMs
    if (this.fate || this.leg?.leaving || !this.#sender || this.#holds) return
    const silentMs = this.#with.clock.now() - (this.#dialledAtMs ?? Number.POSITIVE_INFINITY)
    if (silentMs > RINGS_WITHIN_MS + this.#wayMs) {
      this.#dialledAtMs = undefined
      this.#with.blame(`somebody was called for them, and it did not ring for ${Math.round(silentMs)} ms`)
    }
    if (this.#blamedQuiet || quietMs < this.#longestQuietMs) return
    this.#blamedQuiet = true
    this.#with.blame(`dead air for ${Math.round(quietMs)} ms`)
  }

  /** The longest that the turn machine may let pass without a sound of ours, and what that sound takes to be heard. */
  get #longestQuietMs(): number {
    const { faults, stepMs, latencyMs } = this.plan.engine
    const turn = { ...defaultSettings.turn, ...this.plan.engine.turn }
    const turnEndMs = Math.max(turn.endOfTurnMs, this.#pressed ? turn.betweenKeysMs : 0)
    const answerMs = NOTICED_MS + turnEndMs + turn.fillAfterMs
    const promptMs = Math.max(
      NOTICED_MS + turn.wordsMs,
      turn.falseInterruptionMs + turn.fillAfterMs,
      turn.fillAgainMs,
      ...turn.noInputMs,
    )
    if (this.#ringing) return BETWEEN_RINGS_MS + this.#wayMs
    const quietMs = this.#waiting && this.isClean ? answerMs : Math.max(answerMs, promptMs)
    // A part that is broken takes its time limit to be known as such, and as often as the agent puts up with it.
    const brokenMs = faults.length > 0 ? turn.failures * stepMs : 0
    return quietMs + brokenMs + latencyMs.speaker + this.#wayMs
  }

  /** There and back. */
  get #wayMs(): number {
    const { delayMs, jitterMs } = this.plan.conditions
    return 2 * (delayMs + jitterMs) + THREADS_MS
  }

  /** Nothing is lost, doubled or late on the way. */
  get isClean(): boolean {
    const { lostPerMille, doubledPerMille, jitterMs } = this.plan.conditions
    return lostPerMille + doubledPerMille + jitterMs === 0
  }
}
