import type { Message } from '../../agent/ports.ts'

/** What a reply consists of. */
export type Step =
  | { readonly say: string }
  | { readonly call: string; readonly args?: unknown }
  /** To the business's destination of this number, from 1. */
  | { readonly transferTo: number }
  | { readonly waitMs: number }
  | 'fail'
  /** Gives nothing more, for ever. */
  | 'stall'

/** The reply to the latest of these messages. */
export type Script = (history: readonly Message[]) => readonly Step[]

/** The n-th turn of the caller gets the n-th of these, whatever it was; after the last one each is answered with a tone. */
export function inTurn(replies: readonly (readonly Step[])[], afterwards: Script = answerTones): Script {
  return history => {
    const turns = history.filter(message => message.role === 'caller').length
    return latest(history)?.role === 'caller' ? (replies[turns - 1] ?? afterwards(history)) : afterwards(history)
  }
}

/** For tests that cannot pass a script: the marker of the caller's word says what is to happen. */
const commands: Readonly<Record<string, readonly Step[]>> = {
  'tone 3300': [{ say: '[tone 500 400ms]' }, { call: 'end_call' }],
  'tone 3200': [{ say: '[tone 600 400ms]' }, { call: 'hand_over' }],
  'tone 3100': [{ say: '[tone 700 10000ms]' }],
  'tone 3000': [{ call: 'look_up', args: { what: 'opening hours' } }],
  'tone 2900': [{ call: 'look_up_slowly', args: { what: 'opening hours' } }],
  'tone 2800': [{ call: 'book', args: { what: 'table' } }],
  'tone 2700': ['fail'],
  'tone 2600': ['stall'],
  'tone 2500': [{ call: 'do_not_call' }],
  'tone 2400': [{ call: 'take_voicemail' }],
  'tone 500': [{ say: '[tone 650 400ms]' }, { transferTo: 1 }],
  'tone 400': [{ say: '[tone 650 400ms]' }, { transferTo: 2 }],
}

/**
 * Every word is answered with the tone half as high as its marker, 800 ms long, so that each caller gets back a tone of
 * their own; words without a marker with 350 Hz, keys with a tone each, the result of a tool with 550 Hz, its failure
 * with 450 Hz.
 */
export const answerTones: Script = history => {
  const message = latest(history)
  switch (message?.role) {
    case 'caller':
      return commands[lastWord(message.text)] ?? [{ say: toneFor(message.text) }]
    case 'instruction':
      return [{ say: toneFor(message.text) }]
    case 'toolResult':
      return [{ say: message.result.ok ? '[tone 550 400ms]' : '[tone 450 400ms]' }]
    default:
      return [{ say: '[tone 350 600ms]' }]
  }
}

function latest(history: readonly Message[]): Message | undefined {
  return history.at(-1)
}

/** A caller who was interrupted, or went on, has said several words; the last counts. */
function lastWord(text: string): string {
  return text.match(/tone \d+/g)?.at(-1) ?? ''
}

function toneFor(text: string): string {
  const keys = /pressed ([0-9*#]+)/.exec(text)?.[1]
  if (keys) return [...keys].map(key => `[tone ${1_000 + 50 * '0123456789*#'.indexOf(key)} 200ms]`).join(' ')
  const hz = Number(lastWord(text).slice('tone '.length))
  return hz > 0 ? `[tone ${hz / 2} 800ms]` : '[tone 350 600ms]'
}
