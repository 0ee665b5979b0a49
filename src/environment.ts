import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sipPasswordName } from './business-destinations.ts'
import { secretName } from './business-tools.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What a `.env` sets, and where. */
export interface EnvFile {
  readonly values: Readonly<Record<string, string>>
  /** The line of each name. */
  readonly lines: ReadonlyMap<string, number>
  /** In words: each line that could be misunderstood, by its number, or why the file cannot be read. */
  readonly problems: readonly string[]
  /** All of it is a problem. */
  readonly unreadable?: boolean
}

const assignment = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/
const nothingMore = /^\s*(#|$)/

/** The `.env` of this folder; without one, nothing. */
export function readEnvFile(directory: string): EnvFile {
  const file = join(directory, '.env')
  try {
    return parseEnvFile(readFileSync(file, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const nothing = { values: {}, lines: new Map() }
    if (code === 'ENOENT') return { ...nothing, problems: [] }
    const remedy = code === 'EISDIR' ? 'It must be a file.' : 'Let this user read it, or remove it.'
    return { ...nothing, problems: [`${file} cannot be read (${code}). ${remedy}`], unreadable: true }
  }
}

/**
 * Node's own reading drops lines that it does not understand, ends a value at any #, and takes the next line for the value
 * of a name that has a blank behind its =. Here every line is understood or a problem; none is repeated, for it may hold a
 * secret.
 */
export function parseEnvFile(written: string): EnvFile {
  const text = written.replace(/^\uFEFF/, '').replaceAll('\r', '')
  const values: Record<string, string> = {}
  const lines = new Map<string, number>()
  const problems: string[] = []
  for (let at = 0, number = 1; at < text.length; ) {
    const read = statementAt(text, at)
    if ('problem' in read) problems.push(`.env, line ${number}: ${read.problem}`)
    if ('name' in read) {
      const first = lines.get(read.name)
      if (first !== undefined)
        problems.push(`.env, line ${number} sets ${read.name} again; line ${first} does already.`)
      lines.set(read.name, first ?? number)
      values[read.name] = read.value
    }
    at += read.taken.length + 1
    number += read.taken.split('\n').length
  }
  return { values, lines, problems }
}

type Statement =
  | { readonly taken: string }
  | { readonly taken: string; readonly name: string; readonly value: string }
  | { readonly taken: string; readonly problem: string }

function statementAt(text: string, at: number): Statement {
  const line = lineAt(text, at)
  if (nothingMore.test(line)) return { taken: line }
  const [beginning, name] = assignment.exec(line) ?? []
  if (beginning === undefined || name === undefined) {
    return { taken: line, problem: 'not of the form NAME=value; a comment begins with #.' }
  }
  const written = line.slice(beginning.length)
  if (/^["'`]/.test(written)) return quoted(text, at, beginning.length, name)
  const value = written.replace(/(^|\s+)#.*$/, '').trim()
  if (value.includes('#')) return { taken: line, problem: `a # within the value needs quotation marks (${name}).` }
  return { taken: line, name, value }
}

/** A value in quotation marks may go over several lines. */
function quoted(text: string, at: number, from: number, name: string): Statement {
  const mark = text.charAt(at + from)
  const end = text.indexOf(mark, at + from + 1)
  if (end < 0) {
    return { taken: lineAt(text, at), problem: `the quotation mark that begins the value is never closed (${name}).` }
  }
  const rest = lineAt(text, end + 1)
  const taken = text.slice(at, end + 1) + rest
  if (!nothingMore.test(rest))
    return { taken, problem: `something stands behind the closing quotation mark (${name}).` }
  const value = text.slice(at + from + 1, end)
  return { taken, name, value: mark === '"' ? value.replaceAll('\\n', '\n') : value }
}

function lineAt(text: string, at: number): string {
  const end = text.indexOf('\n', at)
  return text.slice(at, end < 0 ? undefined : end)
}

/**
 * Names that nothing reads, in words: every one of `.env`, which is ours alone; of the environment, which is everybody's,
 * only what looks like a typing error.
 */
export function unreadNames(file: EnvFile, environment: Environment, known: readonly string[]): string[] {
  const isKnown = (name: string) => known.includes(name) || secretName.test(name) || sipPasswordName.test(name)
  const inFile = [...file.lines].filter(([name]) => !isKnown(name))
  const elsewhere = Object.keys(environment).filter(name => !isKnown(name) && !file.lines.has(name))
  return [
    ...inFile.map(([name, line]) => {
      const meant = nearest(name, known)
      const remedy = meant ? `did you mean ${meant}?` : 'nothing reads it; .env.example has all names.'
      return `.env, line ${line}: ${name} is not known: ${remedy}`
    }),
    ...elsewhere.flatMap(name => {
      const meant = nearest(name, known)
      return meant ? [`${name} is not known: did you mean ${meant}?`] : []
    }),
  ]
}

/** In a short name two wrong letters make another word: NPM_TOKEN is no API_TOKEN. */
const SHORT_CHARS = 12

function nearest(name: string, known: readonly string[]): string | undefined {
  const most = name.length < SHORT_CHARS ? 1 : 2
  const written = name.toUpperCase()
  return known
    .map(each => ({ each, mistakes: mistakesBetween(written, each, most) }))
    .filter(({ mistakes }) => mistakes <= most)
    .sort((one, other) => one.mistakes - other.mistakes)[0]?.each
}

/** Letters left out, added, changed, or changed with their neighbour (optimal string alignment). */
function mistakesBetween(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= other.length; j++) {
      const change = one[i - 1] === other[j - 1] ? 0 : 1
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + change)
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      if (swapped) least = Math.min(least, (before[j - 2] ?? 0) + 1)
      row.push(least)
    }
    before = last
    last = row
  }
  return last[other.length] ?? 0
}
