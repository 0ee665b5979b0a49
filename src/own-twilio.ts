import type { CallEvent } from './call/events.ts'
import type { Journal } from './call/journal.ts'
import { systemClock } from './clock.ts'
import type { Surroundings } from './own-asterisk.ts'
import type { Directory } from './store/directory.ts'
import { twilioGate } from './twilio/gate.ts'
import { statusWebhook } from './twilio/status.ts'

interface Parts {
  readonly journal: Journal
  readonly directory: Directory
  readonly observe: (event: CallEvent) => void
}

/** What Twilio asks of Parley. */
export function twilioEdge(
  { config: { twilio }, log }: Pick<Surroundings, 'config' | 'log'>,
  { journal, directory, observe }: Parts,
) {
  const { authToken, publicBaseUrl, webhooks } = twilio
  const settings = { authToken: authToken?.reveal(), publicBaseUrl, unsigned: webhooks === 'unsigned' }
  const businesses = () => directory.upToDate()
  const house = { businesses, tell: observe, kept: () => journal.flushed(), clock: systemClock, log }
  return twilioGate(settings, [statusWebhook(house)], log)
}
