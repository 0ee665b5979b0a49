import { GatewayError } from '../../errors.ts'

/** A list writes its line once for each element: an empty one leaves the line out. */
export type Values = Readonly<Record<string, string | number | readonly string[]>>

const placeholder = /\{\{(\w+)\}\}/g

/** Whatever has a meaning to Asterisk's configuration files or its dialplan can stand in no value. */
const harmless = /^[\p{L}\p{N} ._:/@+*=~-]+$/u

/**
 * Fills the `{{name}}` of a template. Comments are left as they are, and so is `${NAME}`, which is the dialplan's own.
 * Returns the text and the names that were used.
 */
export function fillTemplate(template: string, values: Values, file: string): { text: string; used: Set<string> } {
  const used = new Set<string>()
  const lines = template.split('\n').flatMap(line => {
    if (line.startsWith(';')) return [line]
    const names = [...line.matchAll(placeholder)].map(match => match[1] ?? '')
    for (const name of names) used.add(name)
    const list = names.map(name => values[name]).find(value => Array.isArray(value))
    if (list === undefined) return [fillLine(line, values, file)]
    return list.map(element => fillLine(line, { ...values, [listNameOf(names, values)]: element }, file))
  })
  return { text: lines.join('\n'), used }
}

function listNameOf(names: readonly string[], values: Values): string {
  return names.find(name => Array.isArray(values[name])) ?? ''
}

function fillLine(line: string, values: Values, file: string): string {
  return line.replace(placeholder, (_, name: string) => {
    const value = values[name]
    if (value === undefined || typeof value === 'object')
      throw invalid(`${file} asks for "${name}", which is not given`)
    const text = String(value)
    if (text === '') throw invalid(`"${name}" is empty, and ${file} needs it`)
    // The value may be a secret: it is not told.
    if (!harmless.test(text) || text.trim() !== text)
      throw invalid(`"${name}" holds characters that ${file} cannot take`)
    return text
  })
}

function invalid(what: string): GatewayError {
  return new GatewayError('CONFIG_INVALID', `Asterisk's configuration cannot be written: ${what}.`)
}
