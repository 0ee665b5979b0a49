import { join } from 'node:path'
import { tellsWhoCalls } from './call/caller-number.ts'
import type { CallEvent } from './call/events.ts'
import type { Journal } from './call/journal.ts'
import { systemClock, within } from './clock.ts'
import type { Config } from './config.ts'
import type { Notice, NoticeWay, Notifier } from './desk/notifier.ts'
import { Notifying } from './desk/notifying.ts'
import type { TextSender } from './desk/text-sender.ts'
import { asError } from './errors.ts'
import { limits } from './limits.ts'
import { mailNotifier } from './notifiers/mail.ts'
import type { Surroundings } from './own-asterisk.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import { answeredSince } from './store/callers.ts'
import type { Directory } from './store/directory.ts'
import { claimNotice, storyOf } from './store/notices.ts'
import type { Store } from './store/store.ts'
import { lastWriter, standingOf } from './store/texts.ts'
import { Accounts } from './twilio/accounts.ts'
import { Fetching } from './twilio/fetching.ts'
import { textNotifier } from './twilio/notifier.ts'
import { recordingWebhooks } from './twilio/recording.ts'
import type { TwilioRest } from './twilio/rest.ts'
import { Sending, type SendingParts } from './twilio/sending.ts'
import { textWebhooks } from './twilio/texts.ts'
import type { House, Webhook } from './twilio/webhook.ts'
import { canSendTexts, missingForNotices } from './twilio-settings.ts'

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
  /** Everything that happens: some of it the people of a business must hear of. */
  hear(event: CallEvent): void
  /** Once the database can be asked. */
  start(): void
}

/** Messages, what callers leave with the carrier, and who is told of what. */
export function deskOf(surroundings: Surroundings, parts: Parts): Desk {
  const { config, log } = surroundings
  const { state, journal, store, directory, observe, scope, rest } = parts
  const shared = { store, tell: observe, kept: () => journal.flushed(), clock: systemClock, log }
  const sending = sendingOf(config, parts, shared)
  const fetching = new Fetching({ ...shared, account: config.twilio, directory: join(state.path, 'voicemail') })
  const { accountSid, authToken, apiSecret } = config.twilio
  const hasKeys = accountSid !== undefined && (authToken ?? apiSecret) !== undefined
  const accounts = new Accounts({ ...shared, rest: hasKeys ? rest : undefined })
  const notifying = new Notifying({
    ...shared,
    ...notifiersOf(surroundings, sending),
    find: business => directory.find(business),
    record: call => storyIn(store, call),
    served: caller => servedIn(store, caller),
    claim: (notice, by) => claimOf(store, notice, by),
  })
  scope.onClose(async () => {
    const closed = notifying.close().then(() => Promise.all([fetching.close(), sending?.close(), accounts.close()]))
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
    hear: event => notifying.hear(event),
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

function notifiersOf({ config: { smtp }, webhook }: Surroundings, sender: TextSender | undefined) {
  const notifiers: Notifier[] = [webhook]
  if (sender) notifiers.push(textNotifier(sender))
  if (smtp) notifiers.push(mailNotifier({ url: smtp.url.reveal(), from: smtp.from }))
  return { notifiers, missing: missingForNotices }
}

async function storyIn(store: Store, call: string) {
  await store.caughtUp()
  return store.ask(db => storyOf(db, 'all', call))
}

/** A trunk that hears 503 tries its next way at once: clocks of two gateways may differ by that. */
const CLOCKS_MS = 5_000

type Served = Parameters<ConstructorParameters<typeof Notifying>[0]['served']>[0]

async function servedIn(store: Store, { business, callerNumber, atMs }: Served): Promise<boolean> {
  if (callerNumber === undefined || !tellsWhoCalls(callerNumber)) return false
  return store.ask(db => answeredSince(db, { business }, callerNumber, new Date(atMs - CLOCKS_MS)))
}

function claimOf(store: Store, { call, kind, business }: Notice, by: NoticeWay): Promise<boolean> {
  return store.ask(db => claimNotice(db, 'all', { call, kind, by, business, at: new Date(systemClock.wallMs()) }))
}
