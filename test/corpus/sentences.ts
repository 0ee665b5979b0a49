import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** What a sentence means: an intent, and its slots as they were said. */
export interface Sentence {
  readonly text: string
  readonly intent: string
  readonly [slot: string]: string
}

export interface Corpus {
  readonly tuning: readonly Sentence[]
  readonly heldOut: readonly Sentence[]
  readonly outsideTuning: readonly string[]
  readonly outside: readonly string[]
}

export function readCorpus(): Corpus {
  return parse(readFileSync(join(import.meta.dirname, 'sentences.yaml'), 'utf8'))
}
