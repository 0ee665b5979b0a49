import { limits } from '../limits.ts'
import type { TransferNotice } from './ports.ts'

/**
 * Who calls and why, as headers of the call to the destination. Whatever a caller or a model has said, each is one short
 * line that no PBX takes for anything but text: all other characters are written as in an address (RFC 3986), which Asterisk,
 * for one, reads with URIDECODE.
 */
export function transferHeaders(notice: TransferNotice): Record<string, string> {
  const { call, attempt, business, destination, by, reason, caller } = notice
  const told: Readonly<Record<string, string | undefined>> = {
    'X-Parley-Call': call,
    'X-Parley-Attempt': String(attempt),
    'X-Parley-Business': business.id,
    'X-Parley-Destination': destination,
    'X-Parley-By': by,
    'X-Parley-Caller': caller.number,
    'X-Parley-Caller-Name': caller.name,
    'X-Parley-Reason': reason,
  }
  const written = Object.entries(told).map(([name, text]) => [name, inOneLine(text ?? '')] as const)
  return Object.fromEntries(written.filter(([, text]) => text !== ''))
}

function inOneLine(text: string): string {
  let written = ''
  for (const character of text.toWellFormed().replace(/\s+/gu, ' ').trim()) {
    const next = /[A-Za-z0-9 .+@:/?!'()_-]/.test(character) ? character : inHex(character)
    if (written.length + next.length > limits.transfer.headerChars) break
    written += next
  }
  return written.trim()
}

function inHex(character: string): string {
  const bytes = Buffer.from(character)
  return [...bytes].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
