import { createHash } from 'node:crypto'
import type { VoicemailEnd, VoicemailWay } from '../call/events.ts'
import type { Handler, KeptRecording, LiveCall, Outcome, Recorder } from '../call/ports.ts'
import { type Clock, within } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { type AudioSink, FRAME_MS } from '../media/audio.ts'
import { Ring } from '../media/ringing.ts'
import { VoiceActivity } from '../media/voice-activity.ts'
import type { Scope } from '../scope.ts'
import { degraded, heardOfAgent } from './facts.ts'
import { unlessAborted } from './iterate.ts'
import {
  asking,
  dueMs,
  type MessageEffect,
  type MessageEvent,
  type MessageSettings,
  type MessageState,
  type MessageWords,
  step,
} from './message-machine.ts'
import type { Speaker } from './ports.ts'
import { defaultSettings } from './settings.ts'
import { Speech } from './speech.ts'
import { Voice } from './voice.ts'

/** What it takes to be left a message. */
export interface MessageMeans {
  readonly clock: Clock
  /** In the order in which they are tried. */
  readonly speakers: (call: Pick<LiveCall, 'business'>, by: VoicemailWay) => readonly Speaker[]
  /** All that was told is on the disk. */
  readonly told: () => Promise<void>
  /** Of a recording in which nobody has said anything. */
  readonly drop: (recording: string) => Promise<void>
  /** False where the fallback has somebody for callers whom no engine serves. */
  readonly onFailure: boolean
}

const { toneMs, wordsMs, speakerMs, keepMs, leastMs } = limits.recording.voicemail
const tone = { hz: [1_000], cadenceMs: [] } as const

/** An agent whose callers can leave a message instead: those who would rather, and those whom it cannot serve. */
export function withMessages(handler: Handler, means: MessageMeans): Handler {
  return async (call, scope) => {
    let answering: Promise<void> | undefined
    const answer = () => {
      answering ??= call.answer()
      return answering
    }
    const outcome = await handler({ ...call, answer }, scope)
    if (outcome.kind !== 'handBack' || outcome.message === undefined) return outcome
    const wanted = outcome.message === 'agent' || (means.onFailure && call.business.voicemail.onFailure)
    if (!wanted) return outcome
    const answered = answering !== undefined
    return askForMessage({ ...call, answer }, scope, { ...means, by: outcome.message, answered })
  }
}

/** Nobody but a message is there for the caller. */
export function messageHandler(means: MessageMeans, by: VoicemailWay): Handler {
  return (call, scope) => askForMessage(call, scope, { ...means, by, answered: false })
}

async function askForMessage(
  call: LiveCall,
  scope: Scope,
  means: MessageMeans & { readonly by: VoicemailWay; readonly answered: boolean },
): Promise<Outcome> {
  const { recorder } = call
  if (!recorder) return { kind: 'handBack', reason: 'no message can be recorded' }
  const own = scope.child('message')
  try {
    return await new LeftMessage(call, own, { ...means, recorder }).outcome()
  } finally {
    await own.close()
  }
}

interface MessageParts extends MessageMeans {
  readonly by: VoicemailWay
  /** The caller hears us already. */
  readonly answered: boolean
  readonly recorder: Recorder
}

/** Carries out what the machine decides about one message, and tells it what happens. */
class LeftMessage {
  readonly #call: LiveCall
  readonly #scope: Scope
  readonly #with: MessageParts
  readonly #speech: Speech
  readonly #settings: MessageSettings
  readonly #speakers: readonly Speaker[]
  readonly #outcome = Promise.withResolvers<Outcome>()
  #state: MessageState
  #cancelWake = () => {}
  #recording: { readonly id: string; readonly kept: KeptRecording } | undefined
  #keeping: Promise<void> = Promise.resolve()

  constructor(call: LiveCall, scope: Scope, parts: MessageParts) {
    this.#call = call
    this.#scope = scope
    this.#with = parts
    const { clock, by } = parts
    const { key, silenceSeconds, maxSeconds } = call.business.voicemail
    const times = { silenceMs: silenceSeconds * 1_000, maxMs: maxSeconds * 1_000 }
    this.#settings = { key, ...times, leastMs, wordsMs, keepMs }
    this.#speakers = parts.speakers(call, by)
    const nothing = () => {}
    const heard = ({ kind }: { readonly kind: string }, what: Parameters<typeof heardOfAgent>[0]) => {
      if (kind === 'speech' && what.ms > 0) call.emit(heardOfAgent(what))
    }
    this.#speech = new Speech(call.line, clock, { started: nothing, heard, overflowed: nothing, quiet: nothing })
    this.#state = asking(clock.now(), this.#settings)
  }

  async outcome(): Promise<Outcome> {
    const { by, answered } = this.#with
    this.#scope.onClose(() => this.#cancelWake())
    this.#scope.onClose(() => this.#speech.cancel().then(() => {}))
    this.#scope.onClose(this.#speech.attach())
    this.#scope.onClose(this.#call.line.hear(this.#ear()))
    this.#scope.onClose(this.#call.onDigit(key => this.#happened({ kind: 'key', key })))
    // The first to be undone: what a caller has said who is gone now is kept before their call has ended.
    this.#scope.onClose(async () => {
      this.#happened({ kind: 'gone' })
      await this.#keeping
    })
    this.#call.emit({ name: 'messageAsked', by })
    this.#armWake()
    void this.#say('greeting')
    if (!answered) await this.#answer()
    this.#speech.release()
    return unlessAborted(this.#outcome.promise, this.#scope.signal)
  }

  /** Not before there is something to be heard: until then it rings. */
  async #answer(): Promise<void> {
    const { signal } = this.#scope
    const { clock } = this.#with
    const unsaid = this.#outcome.promise.then(() => {})
    await unlessAborted(Promise.race([this.#speech.ready, unsaid]), signal)
    if (this.#state.phase === 'over') return
    await unlessAborted(this.#call.answer(), signal)
    if (this.#call.takenOver) return
    const waited = Promise.withResolvers<void>()
    this.#scope.onClose(clock.after(defaultSettings.greetAfterMs, waited.resolve))
    await unlessAborted(waited.promise, signal)
  }

  /** A voice's times are those of the line: here they are the clock's. */
  #ear(): AudioSink {
    let heardMs = 0
    const activity = new VoiceActivity(({ kind, atMs }) =>
      this.#happened({ kind, atMs: this.#with.clock.now() - Math.max(0, heardMs - atMs) }),
    )
    return {
      format: activity.format,
      write(frame, mediaTimeMs, kind) {
        heardMs = mediaTimeMs + FRAME_MS
        activity.write(frame as Int16Array, mediaTimeMs, kind)
      },
    }
  }

  #happened(event: MessageEvent): void {
    const [state, effects] = step(this.#state, event, this.#with.clock.now(), this.#settings)
    this.#state = state
    for (const effect of effects) this.#carryOut(effect)
    this.#armWake()
  }

  #carryOut(effect: MessageEffect): void {
    switch (effect.kind) {
      case 'say':
        return void this.#say(effect.words)
      case 'hush':
        return void this.#speech.cancel()
      case 'record':
        return this.#record()
      case 'keep':
        this.#keeping = this.#keep(effect.ended, effect.worth).catch(error => {
          this.#call.emit(degraded(error))
          this.#happened({ kind: 'kept', safe: false })
        })
        return
      case 'end':
        return this.#outcome.resolve(
          effect.asked ? { kind: 'hangup' } : { kind: 'handBack', reason: 'nobody could ask for a message' },
        )
    }
  }

  async #say(words: MessageWords): Promise<void> {
    const said = words === 'tone' ? await this.#sound() : await this.#speak(words, this.#textOf(words))
    this.#happened({ kind: said ? 'heard' : 'unsaid', words })
  }

  #textOf(words: Exclude<MessageWords, 'tone'>): string {
    const { voicemail, telephone } = this.#call.business
    return words === 'excuse' ? telephone.excuse : voicemail[words]
  }

  async #sound(): Promise<boolean> {
    const ring = new Ring(this.#call.line.law, tone)
    const utterance = this.#speech.utterance('ringing')
    utterance.write(ring.next(toneMs), '')
    utterance.write(ring.end(), '')
    utterance.end()
    await utterance.over
    return true
  }

  /** By the first who can; one who fails in the middle is followed by another from the beginning. */
  async #speak(words: MessageWords, text: string): Promise<boolean> {
    const { clock } = this.#with
    const { signal } = this.#scope
    const { phase } = this.#state
    for (const speaker of this.#speakers) {
      const utterance = this.#speech.utterance('speech')
      try {
        const voice = new Voice(speaker, this.#call.line.law, clock, speakerMs)
        for await (const piece of voice.speak(text, signal)) {
          if (!utterance.open) break
          utterance.write(piece.audio, piece.text)
        }
        if (!utterance.sent) throw new GatewayError('ENGINE_FAILED', `The speaker made no sound of the ${words}.`)
        utterance.end()
        await utterance.over
        return true
      } catch (error) {
        // Whoever has gone, or has pressed the key meanwhile, waits for nothing more of it.
        if (signal.aborted || this.#state.phase !== phase) return utterance.sent
        this.#call.emit(degraded(error))
        if (utterance.sent) await this.#speech.cancel()
        utterance.cut()
      }
    }
    return false
  }

  #record(): void {
    const { clock, recorder, by } = this.#with
    const beganAtMs = clock.wallMs()
    const id = recordingId(this.#call.id, beganAtMs)
    const kept = recorder.begin(this.#call.line, {
      ...{ id, by, beganAtMs, sides: 'caller' },
      mostMs: this.#settings.maxMs,
    })
    this.#recording = { id, kept }
    void kept.ended.then(({ why }) => this.#happened({ kind: 'stopped', why: why === 'tooLong' ? 'limit' : 'cut' }))
  }

  async #keep(ended: VoicemailEnd, worth: boolean): Promise<void> {
    if (!this.#recording) return
    const { id, kept } = this.#recording
    const { seconds } = await kept.end(ended === 'hungUp' ? 'callEnded' : 'stopped')
    if (!worth) {
      await this.#with.drop(id)
      return this.#happened({ kind: 'kept', safe: true })
    }
    const { by, told } = this.#with
    const callerNumber = this.#call.facts.callerNumber || undefined
    const hidden = { recording: id, callerNumber }
    this.#call.emit({ name: 'voicemailLeft', seconds: Math.round(seconds), by, ended, private: hidden })
    await within(this.#with.clock, keepMs, told(), late)
    this.#happened({ kind: 'kept', safe: true })
  }

  #armWake(): void {
    this.#cancelWake()
    this.#cancelWake = () => {}
    const atMs = dueMs(this.#state, this.#settings)
    if (atMs === Number.POSITIVE_INFINITY) return
    const { clock } = this.#with
    this.#cancelWake = clock.after(Math.max(0, atMs - clock.now()), () => this.#happened({ kind: 'timePassed' }))
  }
}

const late = () => new GatewayError('STATE_UNWRITABLE', 'It took too long to bring a voicemail to the disk.')

/** Tells nothing of the caller; a call that is asked once more has another. */
function recordingId(call: string, beganAtMs: number): string {
  return createHash('sha256').update(`${call} ${beganAtMs}`).digest('base64url').slice(0, 22)
}
