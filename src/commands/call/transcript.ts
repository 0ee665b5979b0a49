import type { Ending } from '../../caller/signalling.ts'
import { type CallerTurn, type Happening, wordsOf } from './conversation.ts'
import type { GatewayRecord, RecordedWords } from './gateway-record.ts'
import { transcriptLine, transcriptOf } from './words.ts'

type Record = Pick<GatewayRecord, 'news' | 'lastNews' | 'missing'>

/** A happening without its sounds, with what the gateway's record has told at that moment. */
export interface Entry {
  /** Since the call began. */
  readonly atMs: number
  readonly kind: Happening['kind']
  readonly words?: string
  readonly recorded?: readonly RecordedWords[]
  readonly [figure: string]: unknown
}

/** When something new may stand in the record. */
const recordTells: readonly Happening['kind'][] = [
  'agentBegan',
  'agentStopped',
  'agentInterrupted',
  'agentSilent',
  'agentSpeaksOn',
  'ended',
]

/** Writes what happens in its order, though the words for it have to be fetched meanwhile. */
export class Transcript {
  readonly entries: Entry[] = []
  readonly #record: Record
  readonly #print: (line: string) => void
  #written = Promise.resolve()
  #toldMissing = false

  constructor(record: Record, print: (line: string) => void) {
    this.#record = record
    this.#print = print
  }

  tell(happening: Happening, beganMs: number): void {
    this.#written = this.#written.then(() => this.#write(happening, beganMs))
  }

  /** Settles when all that was told is written. */
  written(): Promise<void> {
    return this.#written
  }

  async #write(happening: Happening, beganMs: number): Promise<void> {
    const recorded = await this.#recordedWith(happening)
    if (this.#record.missing !== undefined && !this.#toldMissing) {
      this.#toldMissing = true
      this.#print(transcriptLine(undefined, '', `(what the agent says is not shown: ${this.#record.missing})`))
    }
    for (const line of transcriptOf(happening, beganMs, recorded)) this.#print(line)
    this.entries.push(entryOf(happening, beganMs, recorded))
  }

  #recordedWith({ kind }: Happening): Promise<RecordedWords[]> {
    if (!recordTells.includes(kind)) return Promise.resolve([])
    return kind === 'ended' ? this.#record.lastNews() : this.#record.news()
  }
}

function entryOf(happening: Happening, beganMs: number, recorded: readonly RecordedWords[]): Entry {
  const { kind, atMs, ...figures } = happening
  const rounded = Object.entries(detailsOf(figures)).map(([name, value]) => [name, wholeNumber(value)])
  const entry = { atMs: Math.round(atMs - beganMs), kind, ...Object.fromEntries(rounded) }
  return recorded.length === 0 ? entry : { ...entry, recorded }
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
