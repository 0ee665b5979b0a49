import { SaxesParser } from 'saxes'

export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly (Element | string)[]
}

type Open = Element & { readonly children: (Element | string)[] }

/** The document's element, by a parser that takes nothing but well-formed XML; throws with what is wrong. */
export function readXml(text: string): Element {
  const parser = new SaxesParser()
  const open: Open[] = [{ name: '', attributes: {}, children: [] }]
  const put = (child: Element | string) => void open.at(-1)!.children.push(child)
  parser.on('error', error => {
    throw error
  })
  parser.on('doctype', () => {
    throw new Error('a document type is declared')
  })
  parser.on('processinginstruction', ({ target }) => {
    throw new Error(`there is an instruction for ${target}`)
  })
  parser.on('opentag', ({ name, attributes }) => {
    const element = { name, attributes, children: [] }
    put(element)
    open.push(element)
  })
  parser.on('closetag', () => void open.pop())
  parser.on('text', put)
  parser.on('cdata', put)
  parser.write(text).close()
  return elementsOf(open[0]!)[0]!
}

export function elementsOf({ children }: Element): Element[] {
  return children.filter(child => typeof child !== 'string')
}

export function textOf({ children }: Element): string {
  return children.filter(child => typeof child === 'string').join('')
}
