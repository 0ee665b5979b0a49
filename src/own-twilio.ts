import type { CallEvent } from './call/events.ts'
import type { Exchange } from './call/exchange.ts'
import type { Journal } from './call/journal.ts'
import { systemClock } from './clock.ts'
import { carrierRouteFinder } from './destinations.ts'
import type { Surroundings } from './own-asterisk.ts'
import { deskOf } from './own-desk.ts'
import { ownTestCalls } from './own-test-call.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import type { Directory } from './store/directory.ts'
import type { Store } from './store/store.ts'
import { answeredByWebhook } from './twilio/answered-by.ts'
import { dialResultWebhook } from './twilio/dial-result.ts'
import { Dialler, whyNoCallsOut } from './twilio/dialler.ts'
import { type GateSettings, twilioGate } from './twilio/gate.ts'
import { legJudge } from './twilio/leg-judge.ts'
import { LegTokens } from './twilio/leg-token.ts'
import { twilioNumbers } from './twilio/numbers.ts'
import { twilioOnboarding } from './twilio/onboarding.ts'
import { callWebhook } from './twilio/reception.ts'
import { redirector } from './twilio/redirecting.ts'
import { type TwilioRest, twilioRest } from './twilio/rest.ts'
import { statusWebhook } from './twilio/status.ts'
import { type TransferHouse, transferWebhook } from './twilio/transfer.ts'
import { transferStatusWebhook } from './twilio/transfer-status.ts'
import type { House, WebhookRequest } from './twilio/webhook.ts'

type Settled = Pick<Surroundings, 'config' | 'log'>

interface Parts {
  readonly exchange: Pick<Exchange, 'ready'>
  readonly state: StateDir
  readonly journal: Journal
  readonly store: Store
  readonly directory: Directory
  readonly observe: (event: CallEvent) => void
  readonly legs: ReturnType<typeof twilioLegs>
  readonly scope: Scope
}

/** What proves that a call has come by way of Parley's own answer to Twilio. */
export function twilioLegs({ config: { twilio } }: Pick<Settled, 'config'>) {
  const authToken = twilio.authToken?.reveal()
  const { sipDomain = '', legToken } = twilio
  const tokens = authToken === undefined ? undefined : new LegTokens({ authToken, sipDomain, clock: systemClock })
  return { tokens, judge: legJudge({ tokens, required: legToken === 'required' }) }
}

/** What Twilio asks of Parley, and what is asked of Twilio. */
export function twilioEdge(surroundings: Surroundings, parts: Parts) {
  const { config, log } = surroundings
  const { exchange, journal, directory, observe, legs } = parts
  const { publicBaseUrl = '', sipDomain, webhooks } = config.twilio
  if (webhooks === 'unsigned')
    log.warn('webhooks are believed whoever sends them (TWILIO_WEBHOOKS=unsigned): for development alone')
  const rest = twilioRest({ account: config.twilio, clock: systemClock })
  const house: TransferHouse = {
    ...{ tell: observe, clock: systemClock, log, publicBaseUrl, tokens: legs.tokens },
    businesses: () => directory.upToDate(),
    kept: () => journal.flushed(),
    accepting: () => exchange.ready,
    lone: () => directory.all.length < 2,
    agent: { user: config.sip.user, host: sipDomain, port: config.sip.tcpPort },
    route: carrierRouteFinder(config),
  }
  const ofCalls = [callWebhook(house), dialResultWebhook(house), transferWebhook(house), transferStatusWebhook(house)]
  // Ended after the desk, which still has messages under way.
  const dialler = diallerOf(config, parts, { ...house, rest })
  const desk = deskOf(surroundings, { ...parts, rest })
  const called = answeredByWebhook({ ...house, rest })
  const testCalls = ownTestCalls(config, directory)
  return {
    desk,
    texts: desk.texts,
    edge: twilioGate(
      gateSettings(config, directory),
      [...ofCalls, called, statusWebhook(house), ...desk.webhooks(house)],
      log,
    ),
    redirect: redirector(house, rest),
    onboarding: twilioOnboarding({
      ...{ rest, directory, publicBaseUrl: config.twilio.publicBaseUrl },
      test: business => testCalls.place({ business, through: 'local' }),
    }),
    dialler,
    testCalls,
    numbers: twilioNumbers({ rest, directory, publicBaseUrl: config.twilio.publicBaseUrl, clock: systemClock }),
  }
}

/** Makes the calls that are asked for. What is under way with Twilio ends with it. */
function diallerOf(
  { twilio }: Settled['config'],
  { exchange, store, scope }: Parts,
  house: House & { readonly rest: TwilioRest },
): Dialler {
  const { accountSid, authToken, apiSecret, publicBaseUrl, callsOut, webhooks } = twilio
  const unable = whyNoCallsOut({
    ...{ publicBaseUrl, callsOut },
    hasKeys: accountSid !== undefined && (authToken ?? apiSecret) !== undefined,
    hears: authToken !== undefined || webhooks === 'unsigned',
  })
  const dialler = new Dialler({ ...house, store, ready: () => exchange.ready, publicBaseUrl, unable, callsOut })
  scope.onClose(async () => {
    const closed = dialler.close()
    house.rest.close()
    await closed
  })
  return dialler
}

/** Who is let in, and how often. */
function gateSettings({ twilio }: Settled['config'], directory: Directory): GateSettings {
  const { accountSid, publicBaseUrl, trustedProxies, webhooks } = twilio
  return {
    ...{ authToken: twilio.authToken?.reveal(), publicBaseUrl, unsigned: webhooks === 'unsigned' },
    ...{ accountSid, trustedProxies },
    businessOf: ({ query, fields }: WebhookRequest) => {
      const { From: from = '', To: to = '' } = fields
      const named = directory.find(query['business'] ?? '')
      return (named ?? directory.withNumber(to) ?? directory.withNumber(from) ?? directory.standard).id
    },
  }
}
