import type { Business } from '../business.ts'
import type { TransferWish } from '../call/ports.ts'
import { transferWishes } from './transfer-wishes.ts'

/** What the agent says of its own accord. Rendered ahead and kept, so that it can be said when the speaker is down. */
export interface Phrases {
  readonly back: string
  readonly stillThere: string
  readonly goodbye: string
  readonly endingSoon: string
  readonly timeOver: string
  readonly trouble: string
  readonly handingOver: string
  readonly filler: string
  /** For a wait that one filler was not enough for. */
  readonly fillerAgain: string
  /** To a caller who was to be connected with somebody, and is not. */
  readonly notReached: string
  /** To one who wanted to be back, or was wanted back. */
  readonly broughtBack: string
  /** To one who was connected with somebody, and has lost them. */
  readonly returned: string
}

export type PhraseName = keyof Phrases

/** When whose turn it is. */
export interface TurnSettings {
  /** Silence after words that may go on. */
  readonly endOfTurnMs: number
  /** Silence after words that the recognizer calls final. */
  readonly completeMs: number
  /** For words to come after a voice has ended. */
  readonly wordsMs: number
  readonly betweenKeysMs: number
  /** So much voice is an interruption, also without a word. */
  readonly interruptMs: number
  /** A voice that has become no interruption by then was none. */
  readonly falseInterruptionMs: number
  /** Without a sound for so long, a caller who waits for a reply hears a filler. */
  readonly fillAfterMs: number
  /** And after that filler again. */
  readonly fillAgainMs: number
  /** The longest that a reply may take between two sounds of it. */
  readonly thinkMs: number
  /** The longest turn of a caller. */
  readonly turnMs: number
  /** The longest that one utterance of ours may take. */
  readonly speechMs: number
  /** Silence of the caller before each prompt; after the last one the call ends. */
  readonly noInputMs: readonly number[]
  readonly durationMs: number
  readonly warnBeforeEndMs: number
  /** Replies in a row that fail before the caller is handed back. */
  readonly failures: number
  /** The longest that a caller is on their way to somebody else: ringing, and a word with whoever answers. */
  readonly awayMs: number
  /** For a caller who is wanted back to be given back. */
  readonly recallMs: number
  /** Whether a turn says by itself that the caller wants somebody else, whatever a model makes of it. */
  readonly transferIn?: (turn: { readonly text: string; readonly keys: string }) => TransferWish | undefined
  /** The destination for callers whose engine has failed. */
  readonly onFailure?: string
}

export interface AgentSettings {
  readonly turn: TurnSettings
  readonly phrases: Phrases
  /** For a model or a speaker to come up with the next piece. */
  readonly stepMs: number
  /** For everything that must be there before the call is answered. */
  readonly readyMs: number
  /**
   * From the answer to the greeting: silence already flows, while the news of the answer is on its way to a caller who would
   * else miss the first word (G.114: 150 ms one way).
   */
  readonly greetAfterMs: number
}

export const defaultSettings: AgentSettings = {
  turn: {
    endOfTurnMs: 500,
    completeMs: 250,
    wordsMs: 1_500,
    betweenKeysMs: 1_500,
    interruptMs: 500,
    falseInterruptionMs: 2_000,
    fillAfterMs: 1_500,
    fillAgainMs: 2_400,
    thinkMs: 30_000,
    turnMs: 60_000,
    speechMs: 180_000,
    noInputMs: [8_000, 8_000, 8_000],
    durationMs: 30 * 60_000,
    warnBeforeEndMs: 60_000,
    failures: 3,
    awayMs: 250_000,
    recallMs: 5_000,
  },
  phrases: {
    back: 'Sorry, I am back.',
    stillThere: 'Are you still there?',
    goodbye: 'Thank you for your call. Goodbye.',
    endingSoon: 'Our time is nearly over.',
    timeOver: 'I am sorry, our time is over. Goodbye.',
    trouble: 'Sorry, I did not get that. Please say it again.',
    handingOver: 'One moment please, I will connect you with someone.',
    filler: 'One moment please.',
    fillerAgain: 'It takes a little longer.',
    notReached: 'I could not reach them.',
    broughtBack: 'I am back with you.',
    returned: 'The connection was lost. I am back with you.',
  },
  stepMs: 8_000,
  readyMs: 8_000,
  greetAfterMs: 200,
}

/** Each business has its own way of talking; what it leaves open is as the engine has it. */
export function settingsOf(
  business: Pick<Business, 'conversation' | 'destinations' | 'transfers'>,
  engine: AgentSettings,
): AgentSettings {
  const { conversation, transfers } = business
  const { noInputSeconds, maxSeconds, warnSeconds, phrases, ...times } = conversation
  const turn = {
    ...times,
    noInputMs: noInputSeconds?.map(seconds => seconds * 1_000),
    durationMs: maxSeconds && maxSeconds * 1_000,
    warnBeforeEndMs: warnSeconds && warnSeconds * 1_000,
    transferIn: transferWishes(business),
    onFailure: transfers.onFailure,
  }
  return { ...engine, turn: withChosen(engine.turn, turn), phrases: withChosen(engine.phrases, phrases ?? {}) }
}

function withChosen<T extends object>(settings: T, chosen: { readonly [K in keyof T]?: T[K] | undefined }): T {
  return { ...settings, ...Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)) }
}
