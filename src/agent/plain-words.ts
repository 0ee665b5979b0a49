/** What was said in letters of a to z, figures and spaces, and a stroke for whatever parts a sentence. */
export function plainWords(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .replaceAll(/[.,;:!?\n]+/g, ' | ')
    .replace(/[^a-z0-9|]+/g, ' ')
    .trim()
}
