import type { Clock } from '../../clock.ts'
import type { GatewayError } from '../../errors.ts'
import type { GrammarSearch } from './listening.ts'
import type { SpeechPrograms } from './programs.ts'
import { RecognizerProcess } from './recognizer-process.ts'
import { MODEL_RATE } from './widen.ts'

/** What turns recorded speech, at 16 kHz, into words. It ends when its program does. */
export interface Listener {
  /** Nothing for what was not understood. */
  listen(speech: Int16Array): Promise<string | undefined>
  readonly running: boolean
  /** Resolves with the reason. */
  readonly ended: Promise<GatewayError>
  close(): Promise<void>
}

/**
 * A grammar finds a sentence in everything. How well it fits is told by the recognizer's score, which counts for each
 * hundredth of a second how far it is from the sound that fits best: by so many nats at most, in the middle. Tuned: of the sentences of
 * test/corpus that are there for it one in fifteen is not understood, and of those from outside one in a hundred is guessed.
 */
const LEAST_FIT = -3.55
const NATS = 1_024 * Math.log(1.000_1)
const SCORED_SAMPLES = MODEL_RATE / 100

/** Listens by a grammar: what fits no sentence of it well is not guessed at. */
export async function grammarListener(
  programs: SpeechPrograms,
  search: GrammarSearch,
  clock: Clock,
): Promise<Listener> {
  const recognizer = await RecognizerProcess.start(programs, search, clock)
  return listener(recognizer, async speech => {
    const { words, score } = await recognizer.recognize(speech)
    const fit = (NATS * score * SCORED_SAMPLES) / speech.length
    return words !== '' && fit >= LEAST_FIT ? words : undefined
  })
}

/** Listens by the language model: whatever the words are. */
export async function freeListener(programs: SpeechPrograms, clock: Clock): Promise<Listener> {
  const recognizer = await RecognizerProcess.start(programs, { kind: 'free' }, clock)
  return listener(recognizer, async speech => (await recognizer.recognize(speech)).words || undefined)
}

function listener(recognizer: RecognizerProcess, listen: Listener['listen']): Listener {
  return {
    listen,
    get running() {
      return recognizer.running
    },
    ended: recognizer.ended,
    close: () => recognizer.close(),
  }
}
