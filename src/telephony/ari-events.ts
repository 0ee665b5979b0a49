import type { AriEvent } from './ari.ts'

/** All that `readEvent` acts on. */
export const eventTypes = [
  'ApplicationReplaced',
  'StasisStart',
  'StasisEnd',
  'ChannelDestroyed',
  'ChannelHangupRequest',
  'ChannelDtmfReceived',
  'ChannelHold',
  'ChannelUnhold',
] as const

type Fields = Readonly<Record<string, unknown>>

/** Of an event as Asterisk sends it; nothing when it is none that we act on, or is not of the documented form. */
export function readEvent(raw: unknown): AriEvent | undefined {
  if (!isFields(raw)) return undefined
  if (raw.type === 'ApplicationReplaced') return { kind: 'replaced' }
  const { type, channel: subject } = raw
  if (!isFields(subject) || typeof subject.id !== 'string') return undefined
  const channel = subject.id
  switch (type) {
    case 'StasisStart':
      return { kind: 'entered', channel, args: strings(raw.args) }
    case 'StasisEnd':
    case 'ChannelDestroyed':
      return { kind: 'left', channel }
    case 'ChannelHangupRequest':
      return { kind: 'hangupRequested', channel, cause: typeof raw.cause === 'number' ? raw.cause : undefined }
    case 'ChannelDtmfReceived':
      if (typeof raw.digit !== 'string') return undefined
      return {
        kind: 'digit',
        channel,
        digit: raw.digit,
        heldMs: typeof raw.duration_ms === 'number' ? raw.duration_ms : 0,
      }
    case 'ChannelHold':
      return { kind: 'held', channel }
    case 'ChannelUnhold':
      return { kind: 'unheld', channel }
    default:
      return undefined
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}
