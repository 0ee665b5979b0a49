import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AsteriskProgram } from './program.ts'

const sounds = /\.(gsm|wav|ulaw|alaw|g722|sln\d*|mp3)$/i

/** Whether the class `waiting` of musiconhold.conf has anything to play: without it callers would wait in silence. */
export function hasMusic({ dataDirectory }: Pick<AsteriskProgram, 'dataDirectory'>): boolean {
  try {
    return readdirSync(join(dataDirectory, 'moh')).some(name => sounds.test(name))
  } catch {
    return false
  }
}
