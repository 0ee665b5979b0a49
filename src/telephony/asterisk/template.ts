import { readFileSync } from 'node:fs'
import { GatewayError } from '../../errors.ts'

const templateFolder = new URL('../../../asterisk/', import.meta.url)

export function readTemplate(file: string): string {
  return readFileSync(new URL(file, templateFolder), 'utf8')
}

/** A list writes its line once for each element: an empty one leaves the line out. */
export type Values = Readonly<Record<string, string | number | readonly string[]>>

const placeholder = /\{\{(\w+)\}\}/g

/** Whatever has a meaning to Asterisk's configuration files or its dialplan can stand in no value. */
const harmless = /^[\p{L}\p{N} ._:/@+*=~-]+$/u

/** A secret may hold more signs; what it may not hold is told where it comes from. */
const secretive = /^(?!>)[!#-:<-[\]-~]+$/

/**
 * Fills the `{{name}}` of several templates, by their file names. Comments are left as they are, and so is `${NAME}`,
 * which is the dialplan's own. A value that no template asks for is an error, as is one that is missing or empty.
 */
export function fillTemplates(
  templates: ReadonlyMap<string, string>,
  values: Values,
  secrets: Readonly<Record<string, string>> = {},
): Map<string, string> {
  const all = { ...values, ...secrets }
  const unused = new Set(Object.keys(all))
  const allows = (name: string) => (name in secrets ? secretive : harmless)
  const filled = new Map<string, string>()
  for (const [file, template] of templates) {
    const lines = template
      .split('\n')
      .flatMap(line => (line.startsWith(';') ? [line] : fillLine(line, all, { file, allows }, unused)))
    filled.set(file, lines.join('\n'))
  }
  if (unused.size > 0) throw invalid(`no template asks for ${[...unused].join(', ')}`)
  return filled
}

interface Rules {
  readonly file: string
  /** What a value may hold. */
  readonly allows: (name: string) => RegExp
}

function fillLine(line: string, values: Values, rules: Rules, unused: Set<string>): string[] {
  const names = [...line.matchAll(placeholder)].map(match => match[1] ?? '')
  for (const name of names) unused.delete(name)
  const listName = names.find(name => typeof values[name] === 'object')
  if (listName === undefined) return [fillOnce(line, values, rules)]
  const list = values[listName] as readonly string[]
  return list.map(element => fillOnce(line, { ...values, [listName]: element }, rules))
}

function fillOnce(line: string, values: Values, { file, allows }: Rules): string {
  return line.replace(placeholder, (_, name: string) => {
    const value = values[name]
    if (value === undefined || typeof value === 'object')
      throw invalid(`${file} asks for "${name}", which is not given`)
    const text = String(value)
    if (text === '') throw invalid(`"${name}" is empty, and ${file} needs it`)
    // The value may be a secret: it is not told.
    if (!allows(name).test(text) || text.trim() !== text)
      throw invalid(`"${name}" holds characters that ${file} cannot take`)
    return text
  })
}

function invalid(what: string): GatewayError {
  return new GatewayError('CONFIG_INVALID', `Asterisk's configuration cannot be written: ${what}.`)
}
