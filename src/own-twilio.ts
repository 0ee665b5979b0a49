import type { CallEvent } from './call/events.ts'
import type { Journal } from './call/journal.ts'
import { systemClock } from './clock.ts'
import type { Surroundings } from './own-asterisk.ts'
import { deskOf } from './own-desk.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import type { Directory } from './store/directory.ts'
import type { Store } from './store/store.ts'
import { twilioGate } from './twilio/gate.ts'
import { twilioNumbers } from './twilio/numbers.ts'
import { twilioRest } from './twilio/rest.ts'
import { statusWebhook } from './twilio/status.ts'

interface Parts {
  readonly state: StateDir
  readonly journal: Journal
  readonly store: Store
  readonly directory: Directory
  readonly observe: (event: CallEvent) => void
  readonly scope: Scope
}

/** What Twilio asks of Parley, and what is asked of Twilio. */
export function twilioEdge(surroundings: Surroundings, parts: Parts) {
  const { config, log } = surroundings
  const { journal, directory, observe, scope } = parts
  const { twilio } = config
  const { authToken, publicBaseUrl, webhooks } = twilio
  const settings = { authToken: authToken?.reveal(), publicBaseUrl, unsigned: webhooks === 'unsigned' }
  const businesses = () => directory.upToDate()
  const house = { businesses, tell: observe, kept: () => journal.flushed(), clock: systemClock, log }
  const rest = twilioRest({ account: twilio, clock: systemClock })
  scope.onClose(() => rest.close())
  const desk = deskOf(surroundings, { ...parts, rest })
  return {
    desk,
    texts: desk.texts,
    edge: twilioGate(settings, [statusWebhook(house), ...desk.webhooks(house)], log),
    numbers: twilioNumbers({ rest, directory, publicBaseUrl, clock: systemClock }),
  }
}
