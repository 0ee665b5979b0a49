import { isIP } from 'node:net'
import type { Law } from '../media/audio.ts'

/** What one side of a call says about its audio (RFC 4566, RFC 3264). */
export interface AudioDescription {
  readonly address: string
  readonly port: number
  /** In the order of preference, with the payload type each has in this call. */
  readonly laws: readonly { readonly law: Law; readonly payloadType: number }[]
  /** The payload type of keypad digits (RFC 4733), where they are agreed. */
  readonly digitsPayloadType: number | undefined
  readonly direction: Direction
  readonly ptimeMs: number
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

const DEFAULT_PTIME_MS = 20
const encodings: Readonly<Record<Law, { readonly name: string; readonly payloadType: number }>> = {
  ulaw: { name: 'PCMU', payloadType: 0 },
  alaw: { name: 'PCMA', payloadType: 8 },
}
const staticMaps: ReadonlyMap<number, string> = new Map([
  [0, 'PCMU/8000'],
  [8, 'PCMA/8000'],
])

export function describe(audio: AudioDescription, session: { id: number; version: number }): string {
  const payloadTypes = audio.laws.map(({ payloadType }) => payloadType)
  if (audio.digitsPayloadType !== undefined) payloadTypes.push(audio.digitsPayloadType)
  const family = audio.address.includes(':') ? 'IP6' : 'IP4'
  const lines = [
    'v=0',
    `o=- ${session.id} ${session.version} IN ${family} ${audio.address}`,
    's=call',
    `c=IN ${family} ${audio.address}`,
    't=0 0',
    `m=audio ${audio.port} RTP/AVP ${payloadTypes.join(' ')}`,
    ...audio.laws.map(({ law, payloadType }) => `a=rtpmap:${payloadType} ${encodings[law].name}/8000`),
  ]
  if (audio.digitsPayloadType !== undefined) {
    lines.push(`a=rtpmap:${audio.digitsPayloadType} telephone-event/8000`, `a=fmtp:${audio.digitsPayloadType} 0-16`)
  }
  lines.push(`a=ptime:${audio.ptimeMs}`, `a=${audio.direction}`, '')
  return lines.join('\r\n')
}

/** With the payload types that RFC 3551 gives the laws. */
export function withStaticTypes(laws: readonly Law[]): AudioDescription['laws'] {
  return laws.map(law => ({ law, payloadType: encodings[law].payloadType }))
}

/** The first audio stream that is described; undefined where there is none that could be used. */
export function parseDescription(text: string): AudioDescription | undefined {
  const lines = text.split(/\r?\n/)
  const mediaAt = lines.findIndex(line => line.startsWith('m=audio '))
  if (lines[0] !== 'v=0' || mediaAt === -1) return undefined
  const nextMedia = lines.findIndex((line, at) => at > mediaAt && line.startsWith('m='))
  const media = lines.slice(mediaAt, nextMedia === -1 ? undefined : nextMedia)
  const session = lines.slice(
    0,
    lines.findIndex(line => line.startsWith('m=')),
  )
  const [, port, profile, ...formats] = media[0]!.slice(2).split(' ')
  const address = connectionAddress(media) ?? connectionAddress(session)
  if (!port || !/^\d{1,5}$/.test(port) || Number(port) > 65_535 || profile !== 'RTP/AVP' || !address) return undefined
  return {
    address,
    port: Number(port),
    ...payloadTypesOf(media, formats),
    direction: directionOf(media) ?? directionOf(session) ?? 'sendrecv',
    ptimeMs: ptimeOf(media),
  }
}

function connectionAddress(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const match = /^c=IN IP[46] ([^\s/]+)/.exec(line)
    if (match) return isIP(match[1]!) ? match[1] : undefined
  }
  return undefined
}

function payloadTypesOf(media: readonly string[], formats: readonly string[]) {
  const maps = new Map(staticMaps)
  for (const line of media) {
    const match = /^a=rtpmap:(\d{1,3}) (\S+)/.exec(line)
    if (match) maps.set(Number(match[1]), match[2]!)
  }
  const laws: { law: Law; payloadType: number }[] = []
  let digitsPayloadType: number | undefined
  for (const format of formats) {
    const payloadType = /^\d{1,3}$/.test(format) ? Number(format) : Number.NaN
    if (!(payloadType < 128)) continue
    const encoding = maps.get(payloadType)?.toLowerCase().replace(/\/1$/, '')
    if (encoding === 'pcmu/8000') laws.push({ law: 'ulaw', payloadType })
    if (encoding === 'pcma/8000') laws.push({ law: 'alaw', payloadType })
    if (encoding === 'telephone-event/8000') digitsPayloadType ??= payloadType
  }
  return { laws, digitsPayloadType }
}

function directionOf(lines: readonly string[]): Direction | undefined {
  for (const line of lines) {
    const match = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/.exec(line)
    if (match) return match[1] as Direction
  }
  return undefined
}

function ptimeOf(media: readonly string[]): number {
  for (const line of media) {
    const match = /^a=ptime:(\d{1,3})\s*$/.exec(line)
    if (match && Number(match[1]) > 0) return Number(match[1])
  }
  return DEFAULT_PTIME_MS
}
