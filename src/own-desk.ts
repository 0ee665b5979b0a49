import { join } from 'node:path'
import type { CallEvent } from './call/events.ts'
import type { Journal } from './call/journal.ts'
import { systemClock, within } from './clock.ts'
import type { Config } from './config.ts'
import type { TextSender } from './desk/text-sender.ts'
import { asError } from './errors.ts'
import { limits } from './limits.ts'
import type { Surroundings } from './own-asterisk.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import type { Directory } from './store/directory.ts'
import type { Store } from './store/store.ts'
import { lastWriter, standingOf } from './store/texts.ts'
import { Accounts } from './twilio/accounts.ts'
import { Fetching } from './twilio/fetching.ts'
import { recordingWebhooks } from './twilio/recording.ts'
import type { TwilioRest } from './twilio/rest.ts'
import { Sending, type SendingParts } from './twilio/sending.ts'
import { textWebhooks } from './twilio/texts.ts'
import type { House, Webhook } from './twilio/webhook.ts'
import { canSendTexts } from './twilio-settings.ts'

interface Parts {
  readonly state: StateDir
  readonly journal: Journal
  readonly store: Store
  readonly directory: Directory
  readonly observe: (event: CallEvent) => void
  readonly rest: TwilioRest
  readonly scope: Scope
}

export interface Desk {
  /** Nothing where no message can be sent. */
  readonly texts: TextSender | undefined
  webhooks(house: House): readonly Webhook[]
  /** Once the database can be asked. */
  start(): void
}

/** Messages, and what callers leave with the carrier. */
export function deskOf(surroundings: Surroundings, parts: Parts): Desk {
  const { config, log } = surroundings
  const { state, journal, store, directory, observe, scope, rest } = parts
  const shared = { store, tell: observe, kept: () => journal.flushed(), clock: systemClock, log }
  const sending = sendingOf(config, parts, shared)
  const fetching = new Fetching({ ...shared, account: config.twilio, directory: join(state.path, 'voicemail') })
  const { accountSid, authToken, apiSecret } = config.twilio
  const hasKeys = accountSid !== undefined && (authToken ?? apiSecret) !== undefined
  const accounts = new Accounts({ ...shared, rest: hasKeys ? rest : undefined })
  scope.onClose(async () => {
    const closed = Promise.all([fetching.close(), sending?.close(), accounts.close()])
    const late = () => new Error('the last messages took too long')
    // What is not done by then is found at the next start.
    await within(systemClock, limits.twilio.texts.closeMs, closed, late).catch(error =>
      log.warn(asError(error).message),
    )
  })
  return {
    texts: sending,
    webhooks: house => [
      ...textWebhooks({
        ...house,
        standing: thread => store.ask(db => standingOf(db, 'all', thread)).catch(() => undefined),
        lastWriter: wrote => store.ask(db => lastWriter(db, 'all', wrote)).catch(() => undefined),
        withWhatsappNumber: number => directory.active.find(({ texts }) => texts.whatsappNumber === number),
        outsideSession: text => sending?.outsideSession(text),
      }),
      ...recordingWebhooks({ ...house, recorded: () => fetching.wake() }),
    ],
    start() {
      fetching.watch()
      accounts.watch()
      sending?.watch()
    },
  }
}

type Shared = Pick<SendingParts, 'store' | 'tell' | 'kept' | 'clock' | 'log'>

/** Nothing without an account, or an address at which to hear what became of a message. */
function sendingOf({ twilio }: Config, { rest, directory }: Parts, shared: Shared): Sending | undefined {
  const { publicBaseUrl } = twilio
  if (publicBaseUrl === undefined || !canSendTexts(twilio)) return undefined
  const numbers = { sms: twilio.phoneNumber, whatsapp: twilio.whatsappNumber }
  return new Sending({ ...shared, rest, publicBaseUrl, numbers, businesses: () => directory.upToDate() })
}
