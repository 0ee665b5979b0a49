import { type Document, isScalar, parseDocument, visit } from 'yaml'
import { limits } from './limits.ts'

/** What was written is no YAML, or none that is read here; why is said in words. */
export class NotYaml extends Error {}

/**
 * As YAML's own reader has it, in a time that grows with the text: that one compares each key of a map with all others, and
 * looks for what each alias means through the whole text, while every call waits.
 */
export function readYaml(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: false })
  const wrong = document.errors[0]?.message ?? problemWith(document)
  if (wrong !== undefined) throw new NotYaml(wrong)
  try {
    return document.toJS()
  } catch (error) {
    throw new NotYaml(String(Object(error).message))
  }
}

function problemWith(document: Document): string | undefined {
  let aliases = 0
  let problem: string | undefined
  visit(document, {
    Alias() {
      aliases += 1
      if (aliases <= limits.yaml.aliases) return undefined
      problem = `There are more than ${limits.yaml.aliases} aliases in it.`
      return visit.BREAK
    },
    Map(_, { items }) {
      const keys = items.flatMap(({ key }) => (isScalar(key) ? [key.value] : []))
      const seen = new Set<unknown>()
      const twice = keys.find(key => seen.size === seen.add(key).size)
      if (twice === undefined) return undefined
      problem = `Map keys must be unique: ${twice} stands there twice.`
      return visit.BREAK
    },
  })
  return problem
}
