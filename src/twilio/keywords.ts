/** What a customer asks for with one word: https://help.twilio.com/articles/223134027 has the words. */
export type Keyword = 'stop' | 'start' | 'yes' | 'help'

const words: Readonly<Record<string, Keyword>> = {
  stop: 'stop',
  stopall: 'stop',
  unsubscribe: 'stop',
  cancel: 'stop',
  end: 'stop',
  quit: 'stop',
  revoke: 'stop',
  optout: 'stop',
  start: 'start',
  unstop: 'start',
  // Also what somebody answers to a question: it means START only of those who have stopped.
  yes: 'yes',
  help: 'help',
  info: 'help',
}

/** Alone in a message, in any case, with or without a full stop; anything else is for people. */
export function keywordIn(text: string): Keyword | undefined {
  const [, word = ''] = /^\s*([a-z]+)\s*[.!]?\s*$/i.exec(text) ?? []
  return Object.hasOwn(words, word.toLowerCase()) ? words[word.toLowerCase()] : undefined
}

/** As Twilio has understood it, where it answers such words itself; its keywords may be others, in other languages. */
export function carriersKeyword(optOutType: string | undefined): Keyword | undefined {
  const keyword = keywordIn(optOutType ?? '')
  return keyword === 'yes' ? undefined : keyword
}
