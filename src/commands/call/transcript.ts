import type { Ending } from '../../caller/session.ts'
import type { Clock } from '../../clock.ts'
import { type Answer, answersTo, clockAheadMs } from './answers.ts'
import { type CallerTurn, type Happening, wordsOf } from './conversation.ts'
import type { GatewayRecord, RecordedFact } from './gateway-record.ts'
import { type Speaker, transcriptLine, transcriptOf, untimed } from './words.ts'

type Record = Pick<GatewayRecord, 'news' | 'lastNews' | 'told'>

/** What the agent has said, and what it has made of what the caller said. */
interface Words {
  readonly by: 'agent' | 'caller'
  readonly text: string
}

/** A happening without its sounds, with what the gateway's record has told at that moment. */
export interface Entry {
  /** Since the call began. */
  readonly atMs: number
  readonly kind: Happening['kind']
  readonly words?: string
  readonly recorded?: readonly Words[]
  readonly [figure: string]: unknown
}

/** When something new may stand in the record. */
const recordTells: readonly Happening['kind'][] = [
  'answered',
  'agentBegan',
  'agentStopped',
  'agentInterrupted',
  'agentSilent',
  'agentSpeaksOn',
  'ended',
]

/** What is known of a happening is known a little later: that somebody has fallen silent, by the silence that follows. */
const HOLD_MS = 300

/** Writes what happens in the order in which it did, though some is known later and the words for it have to be fetched. */
export class Transcript {
  readonly entries: Entry[] = []
  readonly #clock: Clock
  readonly #record: Record
  readonly #print: (line: string) => void
  readonly #waiting: { happening: Happening; beganMs: number }[] = []
  readonly #past: Happening[] = []
  /** Of what sounds later than what is written now. */
  #carried: RecordedFact[] = []
  #written = Promise.resolve()
  #toldMissing: string | undefined
  #latestMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, record: Record, print: (line: string) => void) {
    this.#clock = clock
    this.#record = record
    this.#print = print
  }

  tell(happening: Happening, beganMs: number): void {
    const after = this.#waiting.findLastIndex(each => each.happening.atMs <= happening.atMs)
    this.#waiting.splice(after + 1, 0, { happening, beganMs })
    this.#clock.after(HOLD_MS, () => this.#release(happening.atMs))
  }

  /** Settles when all that was told is written. */
  written(): Promise<void> {
    this.#release(Number.POSITIVE_INFINITY)
    return this.#written
  }

  #release(untilMs: number): void {
    const held = this.#waiting.findIndex(each => each.happening.atMs > untilMs)
    for (const { happening, beganMs } of this.#waiting.splice(0, held < 0 ? this.#waiting.length : held)) {
      this.#written = this.#written.then(() => this.#write(happening, beganMs))
    }
  }

  async #write(happening: Happening, beganMs: number): Promise<void> {
    this.#past.push(happening)
    const recorded = await this.#recordedWith(happening)
    this.#tellWhetherShown()
    const lines = transcriptOf(happening, beganMs, recorded, { speaker: this.#speaker, answer: this.#answer })
    const late = happening.atMs < this.#latestMs
    this.#latestMs = Math.max(this.#latestMs, happening.atMs)
    for (const line of lines) this.#print(late ? untimed(line) : line)
    this.entries.push(entryOf(happening, beganMs, recorded))
  }

  #tellWhetherShown(): void {
    const { missing } = this.#record.told
    if (missing !== undefined && this.#toldMissing === undefined) {
      this.#print(transcriptLine(undefined, '', `(what the agent says is not shown: ${missing})`))
    }
    if (missing === undefined && this.#toldMissing !== undefined) {
      this.#print(transcriptLine(undefined, '', '(what the agent says is shown again)'))
    }
    this.#toldMissing = missing
  }

  get #speaker(): Speaker {
    const { knowledge, facts } = this.#record.told
    if (knowledge === 'lost' || knowledge === 'absent') return 'somebody'
    return facts.some(({ name }) => name === 'handedBack') ? 'fallback' : 'agent'
  }

  /** Of the turn that what was heard last came after; undefined before there is one, and when nobody can tell. */
  get #answer(): Answer | undefined {
    const { told } = this.#record
    if (told.knowledge !== 'told') return undefined
    const began = this.#past.findLast(each => each.kind === 'agentBegan')
    // What the agent says of its own accord answers nothing.
    if (began?.afterMs === undefined) return undefined
    const turns = this.#past.slice(0, this.#past.indexOf(began)).filter(({ kind }) => kind === 'callerBegan')
    return answersTo(this.#past, told)[turns.length - 1]
  }

  async #recordedWith({ kind, atMs }: Happening): Promise<readonly RecordedFact[]> {
    if (!recordTells.includes(kind)) return []
    const news = await (kind === 'ended' ? this.#record.lastNews() : this.#record.news())
    const all = [...this.#carried, ...news]
    const aheadMs = clockAheadMs(this.#past, this.#record.told.facts)
    // A short word may have been spoken before it is written that it has begun.
    const isLater = (fact: RecordedFact) => fact.name === 'agentSpoke' && fact.atMs - (aheadMs ?? 0) > atMs
    this.#carried = kind === 'answered' || kind === 'agentBegan' ? all.filter(isLater) : []
    return all.filter(fact => !this.#carried.includes(fact))
  }
}

function entryOf(happening: Happening, beganMs: number, recorded: readonly RecordedFact[]): Entry {
  const { kind, atMs, ...figures } = happening
  const rounded = Object.entries(detailsOf(figures)).map(([name, value]) => [name, wholeNumber(value)])
  const entry = { atMs: Math.round(atMs - beganMs), kind, ...Object.fromEntries(rounded) }
  const words = recorded.flatMap(({ name, text }): Words[] => {
    if (text === undefined || text === '') return []
    return [{ by: name === 'callerSpoke' ? 'caller' : 'agent', text }]
  })
  return words.length === 0 ? entry : { ...entry, recorded: words }
}

function detailsOf(figures: object): object {
  if ('turn' in figures) return { words: wordsOf(figures.turn as CallerTurn) }
  if ('ending' in figures) {
    const { by, how, reason } = figures.ending as Ending
    return { by, how, reason }
  }
  return figures
}

function wholeNumber(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value) : value
}
