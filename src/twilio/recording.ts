import { NOTHING_SAID } from '../call/carrier-events.ts'
import type { CallEvent } from '../call/events.ts'
import { twimlOf } from './twiml.ts'
import { repeatedBy } from './values.ts'
import { type House, taken, type Values, type Webhook, type WebhookAnswer } from './webhook.ts'

/** What these webhooks need beyond the house. */
export interface RecordingHouse extends House {
  /** One is ready to be fetched. */
  readonly recorded: () => void
}

type Path = Extract<Webhook['path'], '/v1/twilio/recording' | '/v1/twilio/voicemail'>

/**
 * Both of what Twilio asks when a recording has ended (the caller may still be there, and hears something) and of what it
 * tells when it has the file; the one or the other may be missing.
 */
export function recordingWebhooks(house: RecordingHouse): readonly Webhook[] {
  const webhook = (path: Path, summary: string): Webhook => ({
    ...{ path, summary, methods: ['POST', 'GET'], wants: 'receipt' },
    // Of its end it is told twice: when the caller is done, and when the carrier has it.
    repeats: ({ fields }) => repeatedBy(recordingIn(fields)?.recording, fields['RecordingStatus'] ?? ''),
    answer: ({ query, fields }) =>
      fields['RecordingStatus'] === undefined ? whenEnded(house, query, fields) : whenKept(house, query, fields),
  })
  return [
    webhook('/v1/twilio/recording', 'Twilio: what a caller said, whom a recording has received'),
    webhook('/v1/twilio/voicemail', 'Twilio: what a caller said whom the agent did not have'),
  ]
}

const over: WebhookAnswer = { kind: 'twiml', xml: twimlOf({ kind: 'hangUp' }) }

/** Somebody is on the telephone: they are never met with an error. Twilio tells of the file once more. */
async function whenEnded(house: RecordingHouse, query: Values, fields: Values): Promise<WebhookAnswer> {
  const told = recordingIn(fields)
  if (!told) return over
  try {
    house.tell(eventOf(house, query, fields, told))
    await house.kept()
  } catch (err) {
    house.log.error({ err, call: told.call }, 'that a caller has left a message is not on the disk')
  }
  return over
}

async function whenKept(house: RecordingHouse, query: Values, fields: Values): Promise<WebhookAnswer> {
  const told = recordingIn(fields)
  if (!told) return { kind: 'refused', status: 400, why: 'CallSid or RecordingSid is none.' }
  const status = fields['RecordingStatus']
  if (status === 'completed') {
    house.tell(eventOf(house, query, fields, told))
    await house.kept()
    house.recorded()
  } else if (status === 'absent' || status === 'failed') {
    const { call, recording } = told
    const { business, atMs } = eventOf(house, query, fields, told)
    const why = status === 'absent' ? NOTHING_SAID : 'the carrier could not record it'
    house.tell({ call, business, atMs, fact: { name: 'recordingGivenUp', recording, why } })
    await house.kept()
  }
  return taken
}

interface Told {
  readonly call: string
  readonly recording: string
  readonly seconds: number
  readonly url: string
}

/** Of the address that the request names nothing is believed but the sid in it. */
function recordingIn(fields: Values): Told | undefined {
  const call = fields['CallSid'] ?? ''
  const url = fields['RecordingUrl'] ?? ''
  const recording = fields['RecordingSid'] ?? /\/Recordings\/(RE[0-9a-f]{32})/i.exec(url)?.[1] ?? ''
  if (!/^CA[0-9a-f]{32}$/i.test(call) || !/^RE[0-9a-f]{32}$/i.test(recording)) return undefined
  const seconds = fields['RecordingDuration'] ?? ''
  return { call, recording, url, seconds: /^[0-9]{1,6}$/.test(seconds) ? Number(seconds) : 0 }
}

function eventOf({ businesses, clock }: RecordingHouse, query: Values, fields: Values, told: Told): CallEvent {
  const all = businesses()
  const named = all.find(query['business'] ?? '') ?? all.withNumber(fields['To'] ?? '')
  const { call, recording, seconds, url } = told
  const callerNumber = fields['From']
  return {
    // A call that was asked for has an id of its own, which stands in the address.
    call: query['record'] ?? call,
    business: (named ?? all.standard).id,
    atMs: clock.wallMs(),
    fact: { name: 'recordingAwaited', recording, seconds, private: { url, callerNumber } },
  }
}
