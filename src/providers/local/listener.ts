import type { Clock } from '../../clock.ts'
import type { GatewayError } from '../../errors.ts'
import { type GrammarSearch, soundsSearch } from './listening.ts'
import type { SpeechPrograms } from './programs.ts'
import { RecognizerProcess } from './recognizer-process.ts'

/** What turns recorded speech, at 16 kHz, into words. It ends when a program of it does. */
export interface Listener {
  /** Nothing for what was not understood. */
  listen(speech: Int16Array): Promise<string | undefined>
  readonly running: boolean
  /** Resolves with the reason. */
  readonly ended: Promise<GatewayError>
  close(): Promise<void>
}

/**
 * How much better than any sounds at all a sentence must fit, for each sound, in nats. Tuned: sentences of the grammar fit
 * better by 10 and more, what is none by less than nothing.
 */
const LEAST_FIT = 0
/** Of the recognizer's scores. */
const NATS = 1_024 * Math.log(1.000_1)

/** Listens by a grammar. A grammar finds a sentence in everything, so another recognizer tells whether it was one. */
export async function grammarListener(
  programs: SpeechPrograms,
  search: GrammarSearch,
  clock: Clock,
): Promise<Listener> {
  const starting = [search, soundsSearch].map(each => RecognizerProcess.start(programs, each, clock))
  const started = await Promise.allSettled(starting)
  const [sentences, sounds] = started.map(each => (each.status === 'fulfilled' ? each.value : undefined))
  if (!sentences || !sounds) {
    await Promise.all([sentences?.close(), sounds?.close()])
    throw started.find(each => each.status === 'rejected')?.reason
  }
  return {
    async listen(speech) {
      const [sentence, all] = await Promise.all([sentences.recognize(speech), sounds.recognize(speech)])
      const fit = (NATS * (sentence.score - all.score)) / Math.max(1, all.words.split(' ').length)
      return sentence.words !== '' && fit >= LEAST_FIT ? sentence.words : undefined
    },
    get running() {
      return sentences.running && sounds.running
    },
    ended: Promise.race([sentences.ended, sounds.ended]),
    close: async () => void (await Promise.all([sentences.close(), sounds.close()])),
  }
}

/** Listens by the language model: whatever the words are. */
export async function freeListener(programs: SpeechPrograms, clock: Clock): Promise<Listener> {
  const recognizer = await RecognizerProcess.start(programs, { kind: 'free' }, clock)
  return {
    listen: async speech => (await recognizer.recognize(speech)).words || undefined,
    get running() {
      return recognizer.running
    },
    ended: recognizer.ended,
    close: () => recognizer.close(),
  }
}
