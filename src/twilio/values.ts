/** A count, as Twilio writes one. */
export function countIn(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}

/** What tells a request from others; nothing where a part of that is missing: then it cannot be told. */
export function repeatedBy(...parts: readonly (string | undefined)[]): string | undefined {
  return parts.includes(undefined) ? undefined : parts.join(' ')
}
