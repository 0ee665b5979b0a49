import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { openingAt } from './agent/hours.ts'
import { type MessageMeans, messageHandler, withMessages } from './agent/message.ts'
import type { Business } from './business.ts'
import type { CallEvent, CallFact } from './call/events.ts'
import type { CallAtDoor, Exchange } from './call/exchange.ts'
import type { Journal } from './call/journal.ts'
import type { Handler } from './call/ports.ts'
import { systemClock } from './clock.ts'
import { GatewayError } from './errors.ts'
import { limits } from './limits.ts'
import type { Surroundings } from './own-asterisk.ts'
import { tellUntil } from './own-recording.ts'
import { voicedMs } from './recording/voiced.ts'
import { dropMessage, messagesLeft, secondsOfWav, storeVoicemail, type UntoldMessage } from './recording/voicemail.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import { businessOfCall } from './store/businesses.ts'
import type { Store } from './store/store.ts'
import { toldVoicemails } from './store/voicemails.ts'
import type { FallbackVoicemail } from './telephony/voicemail.ts'

interface Parts {
  readonly state: StateDir
  readonly journal: Journal
  readonly store: Store
  readonly directory: { readonly standard: Business }
  /** After its first attempt. */
  readonly storeOpened: () => Promise<void>
  readonly exchange: () => Exchange
  readonly earlierLife: (call: string) => readonly CallEvent[]
  readonly scope: Scope
}

/** What callers leave: with the gateway, or with the dialplan while there was none. */
export function ownVoicemail(surroundings: Surroundings, parts: Parts) {
  const folder = join(parts.state.path, 'voicemail')
  const means = meansOf(surroundings, parts.journal, folder)
  const { local, realtime, scripted } = surroundings.handlers
  return {
    /** Who has the calls. */
    serving: {
      earlierLife: parts.earlierLife,
      handlers: {
        local: withMessages(local, means),
        realtime: withMessages(realtime, means),
        scripted: withMessages(scripted, means),
      },
      instead: (door: CallAtDoor) => whoeverTakesMessages(door, means),
    },
    adopt: (voicemail: FallbackVoicemail) => adopted(voicemail, folder, parts),
    /** To be called before anybody can leave a message with this life of the gateway. */
    async lookForUntold(): Promise<void> {
      const left = await messagesLeft(folder)
      if (left.length > 0) tellUntil(() => tellOf(left, folder, parts), parts.scope)
    },
  }
}

function meansOf({ config, speakers }: Surroundings, journal: Journal, folder: string): MessageMeans {
  return {
    clock: systemClock,
    speakers({ business }, by) {
      const { own, builtIn } = speakers(business)
      if (!own) return [builtIn]
      // What has just failed is not what they wait for.
      return by === 'failure' ? [builtIn, own] : [own, builtIn]
    },
    told: () => journal.flushed(),
    drop: recording => dropMessage(folder, recording),
    onFailure: config.fallbackDestination === undefined,
  }
}

/** A call that another way has led here has passed its hours; who was leaving a message as a gateway died is asked once more. */
function whoeverTakesMessages({ business, plain, earlier }: CallAtDoor, means: MessageMeans): Handler | undefined {
  if (earlier) {
    const facts = earlier.map(({ fact }) => fact)
    const asked = facts.findLast(fact => fact.name === 'messageAsked')
    if (!asked) return undefined
    // What was cut off by a life's end is told by the next, which asks once more.
    const left = facts.findLastIndex(fact => fact.name === 'voicemailLeft' && fact.ended !== 'cut')
    const isLeft = facts.lastIndexOf(asked) < left
    return isLeft ? nothingMore : messageHandler(means, asked.by)
  }
  const { closed } = business.telephone
  const isClosed = plain && closed !== 'agent' && closed.kind === 'voicemail'
  if (!isClosed || openingAt(systemClock.wallMs(), business).open !== false) return undefined
  return messageHandler(means, 'closed')
}

/** They were about to be thanked. */
const nothingMore: Handler = async call => {
  await call.answer()
  return { kind: 'hangup' }
}

/** A voicemail is a file plus an event; only when both are on the disk does the PBX's copy go, whose name is a number. */
async function adopted(
  voicemail: FallbackVoicemail,
  folder: string,
  { journal, directory, exchange, ...parts }: Parts,
): Promise<void> {
  const { name, call, atMs, callerNumber } = voicemail
  const known = exchange().find(call)?.view.business ?? (await businessInStore(parts, call))
  const recording = createHash('sha256').update(name).digest('base64url').slice(0, 22)
  const audio = await voicemail.fetch()
  await storeVoicemail(folder, recording, audio)
  const fact: CallFact = {
    name: 'voicemailLeft',
    seconds: secondsOfWav(audio),
    private: { recording, callerNumber },
  }
  exchange().foundLater({ call, business: known ?? directory.standard.id, atMs, fact })
  await journal.flushed()
  await voicemail.remove()
}

/** Of a call from an earlier life the journal tells, by way of the database; nothing where that is away, or it reached nobody. */
async function businessInStore({ store, storeOpened }: Pick<Parts, 'store' | 'storeOpened'>, call: string) {
  await storeOpened()
    .then(() => store.caughtUp())
    .catch(() => {})
  return store.ask(db => businessOfCall(db, 'all', call)).catch(() => undefined)
}

async function tellOf(left: readonly UntoldMessage[], folder: string, parts: Parts): Promise<void> {
  const { store, storeOpened, exchange, earlierLife } = parts
  await storeOpened()
  await store.caughtUp()
  if (store.failing) throw new GatewayError('STORE_AWAY', 'What was told before is not known.', { retryable: true })
  const told = await store.ask(db =>
    toldVoicemails(
      db,
      'all',
      left.map(({ recording }) => recording),
    ),
  )
  for (const { recording, note, ms } of left.filter(each => !told.has(each.recording))) {
    if (!note || (await voicedMs(join(folder, `${recording}.au`))) < limits.recording.voicemail.leastMs) {
      await dropMessage(folder, recording)
      continue
    }
    const { call, business, beganAtMs: atMs, by } = note
    const offered = earlierLife(call).find(({ fact }) => fact.name === 'offered')?.fact
    const callerNumber = offered?.name === 'offered' ? offered.private.callerNumber : undefined
    const fact: CallFact = {
      ...{ name: 'voicemailLeft', seconds: Math.round(ms / 1_000), ...(by && { by }), ended: 'cut' },
      private: { recording, callerNumber },
    }
    exchange().foundLater({ call, business, atMs, fact })
  }
}
