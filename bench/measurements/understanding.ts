import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type Business, readBusiness } from '../../src/business.ts'
import { systemClock } from '../../src/clock.ts'
import { FRAME_SAMPLES } from '../../src/media/audio.ts'
import { StretchEar } from '../../src/providers/local/ear.ts'
import { grammarListener, type Listener } from '../../src/providers/local/listener.ts'
import { grammarSearch } from '../../src/providers/local/listening.ts'
import { type Meaning, Understanding } from '../../src/providers/local/meaning.ts'
import { widened } from '../../src/providers/local/widen.ts'
import { throughPhone } from '../../test/corpus/line.ts'
import { readCorpus, type Sentence } from '../../test/corpus/sentences.ts'
import {
  type Callers,
  type CallerVoice,
  callerVoices,
  openCallers,
  testSpeechPrograms,
} from '../../test/corpus/voices.ts'
import { House } from '../../test/e2e/gateway/house.ts'
import { percentiles } from '../report/percentiles.ts'
import { figure, type Row } from '../report/row.ts'
import type { How, Subject } from './measurement.ts'

const NOT_UNDERSTOOD_PERCENT = 10
const GUESSED_PERCENT = 5
const ANSWER_MS = 900
const LONGEST_ANSWER_MS = 15_000
const folder = join(import.meta.dirname, '../../test/corpus')

/** What the built-in demo engine understands, and how soon it answers. */
export const understanding: Subject = {
  title: 'What the local engine understands',
  method: `The sentences of test/corpus, each in four synthesized voices (${callerVoices.join(', ')}), none of them the
agent's own, through mu-law with 1 % of the packets lost and concealed, cut into stretches of speech and recognized as in a call.
Understood is a sentence whose intent and every slot are right. The 60 held-out sentences and the 30 from outside the domain were
written before anything was tuned and never used for it. A sentence from outside is guessed when it is taken for anything at all
instead of being asked back. The time to the answer is measured in real calls through Asterisk, from the last sound of the
caller's sentence leaving to the first sound of the answer arriving.`,
  measurements: [
    {
      name: 'understanding',
      run: how => withEars(ears => sentenceRows('held-out', some(readCorpus().heldOut, how), ears, how)),
    },
    { name: 'outside', run: how => withEars(async ears => [await outsideRow(some(readCorpus().outside, how), ears)]) },
    {
      name: 'understanding-tuning',
      run: how => withEars(ears => sentenceRows('tuning', some(readCorpus().tuning, how), ears, how)),
    },
    { name: 'answer-time', run: answerTimeRows },
  ],
}

interface Ears {
  readonly callers: Callers
  readonly listener: Listener
  readonly meaning: Understanding
}

async function withEars<T>(use: (ears: Ears) => Promise<T>): Promise<T> {
  const business = ownBusiness()
  const programs = await testSpeechPrograms()
  const listener = await grammarListener(programs, await grammarSearch(business, programs, systemClock), systemClock)
  try {
    return await use({ callers: await openCallers(), listener, meaning: new Understanding(business) })
  } finally {
    await listener.close()
  }
}

/** A fifth of them, while one works on it. */
function some<T>(list: readonly T[], { quick }: How): readonly T[] {
  return quick ? list.filter((_, at) => at % 5 === 0) : list
}

async function sentenceRows(
  name: string,
  sentences: readonly Sentence[],
  ears: Ears,
  { progress }: How,
): Promise<Row[]> {
  const missed: Record<string, number> = {}
  for (const [voiceAt, voice] of callerVoices.entries()) {
    progress(`${name} sentences, ${voice}`)
    missed[voice] = 0
    for (const [at, { text, ...truth }] of sentences.entries()) {
      const heard = await hear(text, voice, 4 * at + voiceAt, ears)
      if (!alike(heard, truth)) missed[voice] += 1
    }
  }
  const total = Object.values(missed).reduce((sum, count) => sum + count, 0)
  const percent = (100 * total) / (sentences.length * callerVoices.length)
  return [
    {
      subject: `${sentences.length} ${name} sentences in ${callerVoices.length} voices`,
      checks: [{ name: 'not understood, %', value: percent, most: NOT_UNDERSTOOD_PERCENT }],
      notes: Object.entries(missed).map(([voice, count]) => `${voice}: ${count} of ${sentences.length} not understood`),
      conditions: undefined,
    },
  ]
}

async function outsideRow(sentences: readonly string[], ears: Ears): Promise<Row> {
  let guessed = 0
  for (const [voiceAt, voice] of callerVoices.entries()) {
    for (const [at, text] of sentences.entries()) {
      if (await hear(text, voice, 4 * at + voiceAt, ears)) guessed += 1
    }
  }
  const count = sentences.length * callerVoices.length
  return {
    subject: `${sentences.length} sentences from outside the domain in ${callerVoices.length} voices`,
    checks: [{ name: 'guessed, %', value: (100 * guessed) / count, most: GUESSED_PERCENT }],
    notes: [`${guessed} of ${count} guessed, the others asked back`],
    conditions: undefined,
  }
}

/** As in a call: the ear cuts, the recognizer hears each stretch, the words together are the turn. */
async function hear(text: string, voice: CallerVoice, seed: number, ears: Ears): Promise<Meaning | undefined> {
  const samples = throughPhone(await ears.callers.speak(text, voice), seed)
  const call = new AbortController()
  const stretches: Promise<string | undefined>[] = []
  const ear = new StretchEar(speech => {
    const words = ears.listener.listen(widened(speech))
    stretches.push(words)
    return words
  }, call.signal)
  for (let at = 0; at < samples.length; at += FRAME_SAMPLES) {
    ear.write(samples.subarray(at, at + FRAME_SAMPLES), at / 8, 'heard')
  }
  ear.finish()
  await Promise.resolve()
  const words: (string | undefined)[] = []
  for (let at = 0; at < Math.max(stretches.length, 1); at++) {
    words.push(await stretches[at])
    // The ear hands over the next stretch when this one is heard.
    await new Promise(resolve => setImmediate(resolve))
  }
  call.abort()
  return words.includes(undefined) ? undefined : ears.meaning.understand(words.join(' '))
}

function alike(heard: Meaning | undefined, truth: Omit<Sentence, 'text'>): boolean {
  return JSON.stringify(Object.entries(heard ?? {}).sort()) === JSON.stringify(Object.entries(truth).sort())
}

function ownBusiness(): Business {
  const file = join(folder, 'business.yaml')
  return readBusiness({ file, name: '', phone: undefined, ownerPhone: undefined, engine: 'local' })
}

const questions = [
  'where are you located',
  'how much is a cleaning',
  'how long does a root canal take',
  'are you open on saturday',
  'hello',
]

async function answerTimeRows({ quick, progress }: How): Promise<Row[]> {
  progress('time to the answer')
  const callers = await openCallers()
  const business = parse(readFileSync(join(folder, 'business.yaml'), 'utf8'))
  await using house = await House.open({ business, database: 'embedded', environment: { AGENT_ENGINE: 'local' } })
  const times: (number | undefined)[] = []
  for (const voice of callerVoices.slice(0, quick ? 1 : 3)) {
    const call = await house.dial()
    await call.hearsSilence(400, { timeoutMs: 20_000, sinceMs: 3_000 })
    for (const [at, question] of questions.entries()) {
      times.push(await answerTime(call, throughPhone(await callers.speak(question, voice), at)))
      await call.hearsSilence(700, { timeoutMs: 20_000, sinceMs: call.heardMs })
    }
    await call.hangup()
  }
  const { p50, p95, count } = percentiles(times.filter(each => each !== undefined))
  return [
    {
      subject: `answers to ${times.length} sentences`,
      checks: [
        { name: 'p50', value: p50, most: ANSWER_MS, unit: 'ms' },
        { name: 'unanswered', value: times.length - count, most: 0 },
      ],
      notes: [`p95 ${figure(p95)} ms`],
      conditions: undefined,
    },
  ]
}

type DialledCall = Awaited<ReturnType<House['dial']>>

/** Nothing when no answer came. */
async function answerTime(call: DialledCall, samples: Int16Array): Promise<number | undefined> {
  const lastSound = samples.findLastIndex(sample => Math.abs(sample) > 300)
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  let endedMs = Number.POSITIVE_INFINITY
  const stop = call.onFrame(frame => {
    const loud = frame.samples.some(sample => Math.abs(sample) > 300)
    if (loud && frame.arrivedMs > endedMs) resolve(frame.arrivedMs)
  })
  await call.play(samples.subarray(0, lastSound + 1))
  endedMs = systemClock.now()
  void call.ended.then(() => resolve(undefined))
  const tooLate = systemClock.after(LONGEST_ANSWER_MS, () => resolve(undefined))
  const answeredMs = await promise
  tooLate()
  stop()
  return answeredMs && answeredMs - endedMs
}
