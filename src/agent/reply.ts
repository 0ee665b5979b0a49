import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Dialogue } from './dialogue.ts'
import type { History, Turn } from './history.ts'
import { guarded, unlessAborted } from './iterate.ts'
import type { Message, Model, ReplyPart } from './ports.ts'
import { Queue } from './queue.ts'
import { SentenceSplitter } from './sentences.ts'
import type { Utterance } from './speech.ts'
import type { Voice } from './voice.ts'

export interface ReplyParts {
  readonly clock: Clock
  readonly stepMs: number
  readonly model: Model
  readonly instructions: Promise<string>
  readonly voice: Voice
  readonly history: History
  readonly dialogue: Dialogue
  readonly degraded: (error: unknown) => void
}

type ToolCallPart = Extract<ReplyPart, { kind: 'toolCall' }>

/** Makes the reply to a turn: thinks, speaks each sentence as it comes, runs tools. Tells whether there is anything to hear. */
export async function reply(turn: Turn, parts: ReplyParts, signal: AbortSignal): Promise<boolean> {
  const { speech, runner, closing } = parts.dialogue
  // What was heard and done before must be known first.
  const known = Promise.all([parts.instructions, speech.settled, runner.writesDone()])
  const [instructions] = await unlessAborted(known, signal)
  const before: Message[] = parts.history.before(turn)
  before.unshift({ role: 'instruction', text: instructions })
  closing.takeWanted()

  let spoke = false
  for (let round = 0; round < limits.agent.toolRounds; round++) {
    const utterance = speech.utterance('speech')
    const messages = [...before, ...turn.underWay]
    turn.says(utterance)
    const toolCalls = await speakRound(messages, utterance, turn, parts, signal)
    spoke ||= utterance.sent
    if (toolCalls === 0 || closing.takeWanted()) return spoke
  }
  throw new GatewayError('ENGINE_FAILED', `The model called tools ${limits.agent.toolRounds} times without an end.`)
}

/** One question to the model: its text is spoken while its tools run. Returns how many there were. */
async function speakRound(
  messages: readonly Message[],
  utterance: Utterance,
  turn: Turn,
  parts: ReplyParts,
  signal: AbortSignal,
): Promise<number> {
  const speakerFailed = new AbortController()
  const either = AbortSignal.any([signal, speakerFailed.signal])
  const sentences = new Queue<string>()
  const speaking = speakSentences(sentences, utterance, parts.voice, signal)
  speaking.catch(error => speakerFailed.abort(error))
  // When thinking fails, what came before is still spoken.
  const thinking = think(messages, sentences, parts, either).finally(() => sentences.end())
  const working = thinking.then(calls => runTools(calls, turn, parts, either))
  const [spoken, worked] = await Promise.allSettled([speaking, working])
  if (spoken.status === 'rejected') throw spoken.reason
  if (worked.status === 'rejected') throw worked.reason
  return worked.value
}

async function speakSentences(
  sentences: AsyncIterable<string>,
  utterance: Utterance,
  voice: Voice,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const sentence of guarded(sentences, signal)) {
      for await (const { audio, text } of voice.speak(sentence, signal)) utterance.write(audio, text)
    }
  } finally {
    utterance.end()
  }
}

/** Asks the model, and once more as long as it fails before its first piece. */
async function think(
  messages: readonly Message[],
  sentences: Queue<string>,
  parts: ReplyParts,
  signal: AbortSignal,
): Promise<ToolCallPart[]> {
  for (let attempt = 1; ; attempt++) {
    const progress = { pieces: 0 }
    try {
      return await listenToModel(messages, sentences, parts, signal, progress)
    } catch (error) {
      const final = signal.aborted || progress.pieces > 0 || (error instanceof GatewayError && !error.retryable)
      if (final || attempt >= limits.agent.thinkRetries) throw error
      parts.degraded(error)
    }
  }
}

async function listenToModel(
  messages: readonly Message[],
  sentences: Queue<string>,
  { model, dialogue, clock, stepMs }: ReplyParts,
  signal: AbortSignal,
  progress: { pieces: number },
): Promise<ToolCallPart[]> {
  const late = () => new GatewayError('ENGINE_FAILED', `The model gave nothing for ${stepMs} ms.`)
  const calls: ToolCallPart[] = []
  const splitter = new SentenceSplitter()
  let chars = 0
  for await (const part of guarded(model.reply(messages, dialogue.tools, signal), signal, {
    clock,
    ms: stepMs,
    late,
  })) {
    progress.pieces += 1
    if (part.kind === 'toolCall') {
      if (calls.length < limits.agent.toolCallsInRound) calls.push(part)
      continue
    }
    chars += part.text.length
    if (chars > limits.agent.utteranceChars) break
    for (const sentence of splitter.push(part.text)) sentences.push(sentence)
  }
  for (const sentence of splitter.rest()) sentences.push(sentence)
  return calls
}

async function runTools(
  calls: readonly ToolCallPart[],
  turn: Turn,
  { dialogue: { runner, conversation } }: ReplyParts,
  signal: AbortSignal,
): Promise<number> {
  for (const call of calls) {
    if (runner.writes(call.name)) await unlessAborted(conversation.certain(), signal)
    turn.calls(call)
    // What changes something goes on when the turn does not, and its result is history all the same.
    await unlessAborted(
      runner.run(call, signal).then(result => turn.results(call, result)),
      signal,
    )
  }
  return calls.length
}
