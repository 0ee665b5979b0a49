import { type Element, elementsOf, readXml, textOf } from '../../src/twilio/xml.ts'

/** What Twilio would make of a document, by the words of its documentation and not by its package. */
export interface Judged {
  /** Each is a mistake that Twilio refuses, passes over in silence, or never comes to. */
  readonly problems: readonly string[]
  readonly verbs: readonly Element[]
}

type Form = (value: string) => boolean
interface Kind {
  /** https://www.twilio.com/docs/voice/twiml and, of messages, https://www.twilio.com/docs/messaging/twiml */
  readonly attributes: Readonly<Record<string, Form>>
  readonly needs?: readonly string[]
  readonly nouns?: Readonly<Record<string, Kind>>
  readonly text?: Form
  /** Nothing that stands behind it is ever executed. */
  readonly ends?: (element: Element) => boolean
}

const oneOf =
  (...values: readonly string[]): Form =>
  value =>
    values.includes(value)
const listOf =
  (...values: readonly string[]): Form =>
  value =>
    value.split(' ').every(each => values.includes(each))
const within =
  (least: number, most: number): Form =>
  value =>
    /^\d{1,6}$/.test(value) && Number(value) >= least && Number(value) <= most
const spoken: Form = value => value.trim() !== '' && value.length <= 4_096
const boolean = oneOf('true', 'false')
const method = oneOf('GET', 'POST')
const number: Form = value => /^\+[1-9]\d{1,14}$/.test(value)
/** The one that is called is known by this; to a SIP address anything of these characters. */
const callerId: Form = value => /^[A-Za-z0-9+._-]{1,64}$/.test(value)
const keys: Form = value => /^[0-9*#]*$/.test(value)
/** Relative ones are taken, too. A proxy or Twilio itself writes no line break and no blank in one. */
const url: Form = value => /^\S{1,4000}$/.test(value) && URL.canParse(value, 'https://parley.example.com')
const voice: Form = value => /^(man|woman|alice|(Polly|Google)\.[A-Za-z0-9-]+)$/.test(value)
const always = () => true
const withAction = ({ attributes }: Element) => attributes['action'] !== undefined

const progress = {
  statusCallback: url,
  statusCallbackMethod: method,
  statusCallbackEvent: listOf('initiated', 'ringing', 'answered', 'completed'),
  url,
  method,
  machineDetection: oneOf('Enable', 'DetectMessageEnd'),
  machineDetectionTimeout: within(3, 60),
  amdStatusCallback: url,
  amdStatusCallbackMethod: method,
}

const recordingStatus = {
  recordingStatusCallback: url,
  recordingStatusCallbackMethod: method,
  recordingStatusCallbackEvent: listOf('in-progress', 'completed', 'absent'),
  trim: oneOf('trim-silence', 'do-not-trim'),
}

const say: Kind = {
  attributes: { voice, language: value => /^[a-z]{2,3}(-[A-Za-z0-9]{2,4})*$/.test(value), loop: within(0, 100) },
  text: spoken,
}
const redirect: Kind = { attributes: { method }, text: url, ends: always }

const dial: Kind = {
  attributes: {
    ...{ action: url, method, answerOnBridge: boolean, callerId, hangupOnStar: boolean, sequential: boolean },
    ...{ timeout: within(1, 600), timeLimit: within(1, 86_400), referUrl: url, referMethod: method },
    ...recordingStatus,
    record: oneOf(
      ...['do-not-record', 'record-from-answer', 'record-from-ringing'],
      ...['record-from-answer-dual', 'record-from-ringing-dual'],
    ),
    ringTone: value => /^[a-z]{2}(-old)?$/.test(value),
  },
  nouns: {
    Sip: {
      attributes: { ...progress, username: always, password: always },
      text: value => sipProblem(value) === undefined,
    },
    Number: { attributes: { ...progress, sendDigits: value => /^[0-9*#wW]+$/.test(value) }, text: number },
  },
  ends: withAction,
}

const record: Kind = {
  attributes: {
    ...{ action: url, method, finishOnKey: keys, maxLength: within(1, 14_400), playBeep: boolean },
    ...recordingStatus,
    ...{ timeout: within(0, 3_600), transcribe: boolean, transcribeCallback: url },
  },
}

const voiceVerbs: Readonly<Record<string, Kind>> = {
  ...{ Say: say, Dial: dial, Record: record, Redirect: redirect },
  Hangup: { attributes: {}, ends: always },
  Reject: { attributes: { reason: oneOf('rejected', 'busy') }, ends: always },
  Pause: { attributes: { length: within(1, 3_600) } },
  Play: { attributes: { loop: within(0, 1_000), digits: value => /^[0-9*#wW]+$/.test(value) }, text: url },
}

const messageVerbs: Readonly<Record<string, Kind>> = {
  Message: {
    attributes: { to: number, from: number, action: url, method, statusCallback: url },
    nouns: {
      Body: { attributes: {}, text: value => value !== '' && value.length <= 1_600 },
      Media: { attributes: {}, text: url },
    },
    text: value => value !== '' && value.length <= 1_600,
  },
  Redirect: redirect,
}

/** Of somebody on the telephone, or of a message. */
export function judgeTwiml(text: string, of: 'call' | 'message' = 'call'): Judged {
  if (Buffer.byteLength(text) > 64 * 1024) return { problems: ['it is larger than 64 kB'], verbs: [] }
  try {
    const response = readXml(text)
    const verbs = elementsOf(response)
    return { problems: problemsOf(response, of === 'call' ? voiceVerbs : messageVerbs), verbs }
  } catch (error) {
    return { problems: [`it is no XML: ${error instanceof Error ? error.message : error}`], verbs: [] }
  }
}

function problemsOf(response: Element, kinds: Readonly<Record<string, Kind>>): string[] {
  if (response.name !== 'Response') return [`it is a ${response.name}, and no Response`]
  const verbs = elementsOf(response)
  const end = verbs.findIndex(verb => kinds[verb.name]?.ends?.(verb))
  const after = end < 0 ? [] : verbs.slice(end + 1)
  return [
    ...Object.keys(response.attributes).map(name => `Response has no ${name}`),
    ...(textOf(response).trim() === '' ? [] : ['words stand outside of a verb']),
    ...verbs.flatMap(verb => problemsIn(verb, kinds)),
    ...after.map(verb => `${verb.name} is never reached`),
    ...(verbs.findIndex(verb => verb.name === 'Reject') > 0 ? ['Reject comes too late: the call is answered'] : []),
  ]
}

function problemsIn(element: Element, kinds: Readonly<Record<string, Kind>>): string[] {
  const { name, attributes } = element
  const kind = Object.hasOwn(kinds, name) ? kinds[name]! : undefined
  if (kind === undefined) return [`${name} may not stand here`]
  const nouns = elementsOf(element)
  const text = textOf(element).trim()
  const wrong = Object.entries(attributes).filter(
    ([each, value]) => !Object.hasOwn(kind.attributes, each) || !kind.attributes[each]!(value),
  )
  return [
    ...wrong.map(([each, value]) => `${name} cannot have ${each}="${value}"`),
    ...(nouns.length > 0 && text !== '' ? [`${name} has words beside its nouns`] : []),
    ...(nouns.length > 0 ? [] : textProblems(name, kind, text)),
    ...nouns.flatMap(noun => problemsIn(noun, kind.nouns ?? {})),
    ...(nouns.length > 1 && nouns.some(noun => noun.name === 'Sip') ? ['Sip stands beside another noun'] : []),
  ]
}

function textProblems(name: string, { text: form, nouns }: Kind, text: string): string[] {
  if (form) return form(text) ? [] : [`${name} cannot have the words "${text}"`]
  if (nouns) return [`${name} has nothing in it`]
  return text === '' ? [] : [`${name} takes no words`]
}

/**
 * https://www.twilio.com/docs/voice/twiml/sip: fewer than 255 characters, and fewer than 1,024 of headers behind the ?.
 * https://www.twilio.com/docs/api/errors/13252: which headers.
 */
function sipProblem(text: string): string | undefined {
  const [address = '', headers = '', ...more] = text.split('?')
  if (address.length > 254) return 'the address is too long'
  if (headers.length > 1_023) return 'the headers are too long'
  if (
    !/^sips?:[A-Za-z0-9._~!$&'()*+,=%-]+@[A-Za-z0-9.-]+(:\d{1,5})?(;[A-Za-z0-9._~%+-]+(=[A-Za-z0-9._~%+-]*)?)*$/.test(
      address,
    )
  )
    return 'it is none'
  if (more.length > 0) return 'it has two question marks'
  const pairs = headers === '' ? [] : headers.split('&')
  const wrong = pairs.find(
    pair =>
      !/^([Xx]-[A-Za-z0-9-]+|User-to-User|Remote-Party-ID|P-Preferred-Identity|P-Called-Party-ID)=[A-Za-z0-9._~%+-]*$/.test(
        pair,
      ),
  )
  return wrong === undefined ? undefined : `${wrong} is no header`
}
