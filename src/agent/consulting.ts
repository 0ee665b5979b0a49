import type { FarParty, Line } from '../call/ports.ts'
import { type Clock, pause } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { VoiceActivity } from '../media/voice-activity.ts'
import type { Introduction } from './introduction.ts'
import { guarded, unlessAborted } from './iterate.ts'
import type { Conversant, Recognizer, Speaker } from './ports.ts'
import { Speech, type Utterance } from './speech.ts'
import { Voice } from './voice.ts'
import { yesOrNo } from './yes-or-no.ts'

/** Tells what is said on a line, each time finally, until the signal aborts. */
type Listen = (line: Line, heard: (text: string) => void, signal: AbortSignal) => Promise<void>

/** How an agent talks with somebody who is no caller. */
export interface Consulting {
  readonly speaker: Speaker
  readonly listen: Listen
}

interface ConsultDependencies extends Consulting {
  readonly clock: Clock
  readonly stepMs: number
}

type Answer = 'accepted' | 'declined'

const answerOfKey: Readonly<Record<string, Answer>> = { '1': 'accepted', '2': 'declined' }

/**
 * Tells whoever has answered who calls, asks whether they take it, and asks again. A voicemail says neither yes nor no, and
 * nor does silence: that is a no in the end.
 */
export async function consult(
  far: FarParty,
  { story, question }: Introduction,
  { speaker, listen, clock, stepMs }: ConsultDependencies,
  signal: AbortSignal,
): Promise<Answer> {
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const answer = Promise.withResolvers<Answer>()
  const talk = new Talk(far.line, clock, new Voice(speaker, far.line.law, clock, stepMs))
  const forgetKeys = far.onDigit(digit => {
    const pressed = answerOfKey[digit]
    if (pressed) answer.resolve(pressed)
  })
  const heard = (text: string) => {
    // What is said before, such as a "yes?" to the ringing, answers nothing.
    const said = talk.asked ? yesOrNo(text) : undefined
    if (said) answer.resolve(said === 'yes' ? 'accepted' : 'declined')
  }
  // Who cannot hear them has the keys.
  listen(far.line, heard, either).catch(() => {})
  try {
    const asking = ask(talk, [story, question], clock, either)
    return await unlessAborted(Promise.race([answer.promise, asking]), signal)
  } finally {
    over.abort(new Error('It has been answered.'))
    forgetKeys()
    talk.close()
  }
}

async function ask(talk: Talk, texts: readonly [string, string], clock: Clock, signal: AbortSignal): Promise<Answer> {
  await pause(clock, limits.agent.consult.beginMs, signal)
  for (let times = 0; times < limits.agent.consult.times; times++) {
    await talk.say(texts, signal)
    await pause(clock, limits.agent.consult.answerMs, signal)
  }
  return 'declined'
}

/** What is said on the far line. */
class Talk {
  readonly #speech: Speech
  readonly #voice: Voice
  readonly #detach: () => void
  #question: Utterance | undefined
  /** The question is being heard, or has been. */
  asked = false

  constructor(line: Line, clock: Clock, voice: Voice) {
    this.#voice = voice
    this.#speech = new Speech(line, clock, {
      started: utterance => {
        if (utterance === this.#question) this.asked = true
      },
      heard: () => {},
      overflowed: () => {},
      quiet: () => {},
    })
    this.#detach = this.#speech.attach()
    this.#speech.release()
  }

  /** A story and a question; settles when both were heard. */
  async say([story, question]: readonly [string, string], signal: AbortSignal): Promise<void> {
    const told = this.#speech.utterance('speech')
    await this.#speak(story, told, signal)
    this.#question = this.#speech.utterance('speech')
    const asked = this.#question
    await this.#speak(question, asked, signal)
    if (!told.sent || !asked.sent) throw new GatewayError('ENGINE_FAILED', 'The speaker made no sound of the words.')
    await unlessAborted(Promise.all([told.over, asked.over]), signal)
  }

  close(): void {
    void this.#speech.cancel()
    this.#detach()
  }

  async #speak(text: string, utterance: Utterance, signal: AbortSignal): Promise<void> {
    try {
      for await (const { audio, text: words } of this.#voice.speak(text, signal)) utterance.write(audio, words)
    } finally {
      utterance.end()
    }
  }
}

/** By a recognizer of its own. */
export function listenBy(recognizer: Recognizer): Listen {
  return async (line, heard, signal) => {
    const ear = recognizer.open({ encoding: line.law, rate: 8_000 }, signal)
    const stops = [line.hear(new VoiceActivity(({ kind }) => kind === 'voiceStopped' && ear.finish())), line.hear(ear)]
    try {
      for await (const { kind, text } of guarded(ear.results, signal)) if (kind === 'final') heard(text)
    } finally {
      for (const stop of stops) stop()
    }
  }
}

/** By a conversant that hears and does not speak: whatever it would say is not wanted. */
export function listenWith(conversant: Conversant, language: string): Listen {
  return async (line, heard, signal) => {
    const format = { encoding: line.law, rate: 8_000 } as const
    const session = { format, instructions: ONLY_LISTEN, voice: '', language, tools: [], history: [] }
    const listening = await unlessAborted(conversant.open(session, signal), signal)
    const stop = line.hear(listening.hear)
    try {
      for await (const event of guarded(listening.events, signal)) {
        if (event.kind === 'replying') listening.cancel()
        if (event.kind === 'words' && event.final) heard(event.text)
        if (event.kind === 'failed') throw event.error
      }
    } finally {
      stop()
    }
  }
}

const ONLY_LISTEN = 'You only listen. Say nothing.'
