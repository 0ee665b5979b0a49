/** The lines of a page between two markers, which a program writes. */
export interface Markers {
  readonly begin: string
  readonly end: string
}

/** What stands between them; each must stand there once, alone on its line, the beginning first. */
export function blockIn(page: string, { begin, end }: Markers): string {
  const lines = page.split('\n')
  const [from, to] = [begin, end].map(marker => {
    const at = lines.indexOf(marker)
    if (at === -1 || lines.lastIndexOf(marker) !== at) throw new Error(`"${marker}" must stand in the page once.`)
    return at
  }) as [number, number]
  if (to < from) throw new Error(`"${end}" stands before "${begin}".`)
  return lines.slice(from + 1, to).join('\n')
}

export function withBlock(page: string, markers: Markers, block: string): string {
  const { begin, end } = markers
  const before = blockIn(page, markers)
  const old = before === '' ? `${begin}\n${end}` : `${begin}\n${before}\n${end}`
  return page.replace(old, () => `${begin}\n${block}\n${end}`)
}

/** Around the call in README.md. */
export const realCall: Markers = {
  begin: '<!-- A real call, written by `npm run readme` -->',
  end: '<!-- The end of the real call -->',
}
