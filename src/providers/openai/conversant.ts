import { Pace } from '../../agent/captions.ts'
import type { Conversant } from '../../agent/ports.ts'
import type { Clock } from '../../clock.ts'
import { sessionAddress } from './address.ts'
import type { RealtimeOptions } from './options.ts'
import { RealtimeVoice } from './voice.ts'
import { type Dial, dialWebSocket } from './wire.ts'

export interface RealtimeParts {
  readonly clock: Clock
  readonly baseUrl: string
  /** Not every server of one's own wants one. */
  readonly apiKey: string | undefined
  readonly options: RealtimeOptions
  readonly dial?: Dial
}

/** Speech to speech over the Realtime protocol, in the call's own law. */
export function realtimeConversant({
  clock,
  baseUrl,
  apiKey,
  options,
  dial = dialWebSocket,
}: RealtimeParts): Conversant {
  const pace = new Pace()
  const address = sessionAddress(baseUrl, options.model)
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
  return {
    open: (session, signal) => RealtimeVoice.connect({ clock, dial, address, headers, options, session }, pace, signal),
  }
}
