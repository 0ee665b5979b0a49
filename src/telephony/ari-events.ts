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
  'Dial',
] as const

type Fields = Readonly<Record<string, unknown>>

/** Of an event as Asterisk sends it; nothing when it is none that we act on, or is not of the documented form. */
export function readEvent(raw: unknown): AriEvent | undefined {
  if (!isFields(raw)) return undefined
  if (raw.type === 'ApplicationReplaced') return { kind: 'replaced' }
  const { type } = raw
  const subject = type === 'Dial' ? raw.peer : raw.channel
  if (!isFields(subject) || typeof subject.id !== 'string') return undefined
  const channel = subject.id
  switch (type) {
    case 'StasisStart':
      return { kind: 'entered', channel, args: strings(raw.args) }
    case 'StasisEnd':
      return { kind: 'left', channel }
    case 'ChannelDestroyed':
      return { kind: 'ended', channel, cause: number(raw.cause) }
    case 'ChannelHangupRequest':
      return { kind: 'hangupRequested', channel, cause: number(raw.cause) }
    case 'Dial':
      return typeof raw.dialstatus === 'string' ? { kind: 'dialled', channel, status: raw.dialstatus } : undefined
    case 'ChannelDtmfReceived':
      if (typeof raw.digit !== 'string') return undefined
      return {
        kind: 'digit',
        channel,
        digit: raw.digit,
        heldMs: number(raw.duration_ms) ?? 0,
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

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}
