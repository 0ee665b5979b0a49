/** What of a file is to be sent: offsets of its bytes, both included. */
export type Part =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'none' }

export interface Asked {
  readonly range: string | undefined
  /** Only if it is still this one. */
  readonly ifRange: string | undefined
}

/**
 * One range of bytes, https://www.rfc-editor.org/rfc/rfc9110#section-14.2. What is no such range, or several, is as if none was
 * asked for. Of a long one only the beginning is told: whoever wants the rest asks again.
 */
export function partOf(file: { readonly bytes: number; readonly etag: string }, asked: Asked, mostBytes: number): Part {
  const [, first = '', last = ''] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(asked.range ?? '') ?? []
  if (first === '' && last === '') return { kind: 'whole' }
  if (asked.ifRange !== undefined && asked.ifRange !== file.etag) return { kind: 'whole' }
  if (first !== '' && last !== '' && Number(first) > Number(last)) return { kind: 'whole' }
  const begin = first === '' ? Math.max(0, file.bytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? file.bytes - 1 : Math.min(Number(last), file.bytes - 1)
  if (begin > end) return { kind: 'none' }
  return { kind: 'part', first: begin, last: Math.min(end, begin + mostBytes - 1) }
}
