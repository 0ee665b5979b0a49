import type { Business } from '../business.ts'
import type { TextChannel } from '../call/carrier-events.ts'
import type { CallEvent } from '../call/events.ts'
import { templateTextId } from '../call/text-ids.ts'
import { type Clock, every } from '../clock.ts'
import type { TextRefusal, TextSender, TextTaken, TextWish } from '../desk/text-sender.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'
import {
  claimText,
  findText,
  knownCarriers,
  openTexts,
  type Standing,
  type StoredText,
  standingOf,
} from '../store/texts.ts'
import { CarrierError } from './errors.ts'
import { addressOf } from './paths.ts'
import type { TwilioRest } from './rest.ts'

export interface SendingParts {
  readonly rest: Pick<TwilioRest, 'text' | 'textsTo'>
  readonly store: Pick<Store, 'ask' | 'caughtUp'>
  readonly tell: (event: CallEvent) => void
  readonly kept: () => Promise<void>
  readonly businesses: () => { find(id: string): Business | undefined }
  readonly clock: Clock
  readonly log: Log
  /** Where Twilio tells what became of a message. */
  readonly publicBaseUrl: string
  /** Of businesses that have none of their own. */
  readonly numbers: Readonly<Record<TextChannel, string | undefined>>
}

/** Who has asked for no more: https://www.twilio.com/docs/api/errors/21610 */
const UNSUBSCRIBED = 21_610

type Request = Parameters<TwilioRest['text']>[0]

type Outgoing = Pick<StoredText, 'id' | 'business' | 'channel' | 'customer' | 'ours' | 'text' | 'template' | 'at'>

/**
 * Twilio has no key that makes a request the same one: what ended without an answer may have been sent. It is looked for
 * among the messages that the customer got, and what is not found is `unknown`; nothing is sent a second time.
 */
export class Sending implements TextSender {
  readonly #with: SendingParts
  readonly #underWay = new Set<Promise<void>>()
  #stopLooking = () => {}

  constructor(parts: SendingParts) {
    this.#with = parts
  }

  async send({ id, business, channel, to, text }: TextWish): Promise<TextTaken> {
    const { clock } = this.#with
    const ours = numbersOf(business)[channel] ?? this.#with.numbers[channel]
    const before = await this.#with.store.ask(db => findText(db, 'all', id))
    if (before) return again(before, { business: business.id, channel, customer: to, text })
    if (this.#underWay.size >= limits.twilio.texts.waiting) return refused('full')
    if (ours === undefined) return refused('noNumber')
    const thread = { business: business.id, channel, customer: to }
    const standing = await this.#standingOf(thread)
    const way = wayOf(channel, standing, clock.wallMs(), business.texts.whatsappTemplate)
    if ('why' in way) return refused(way.why)
    return this.#take({ id, ...thread, ours, text, template: way.template ?? null, at: new Date(clock.wallMs()) })
  }

  /** WhatsApp has refused a text: it goes once more, as the template, if the business has one. */
  outsideSession(id: string): void {
    this.#inBackground(async () => {
      const failed = await this.#with.store.ask(db => findText(db, 'all', id))
      const template = failed && this.#with.businesses().find(failed.business)?.texts.whatsappTemplate
      if (!failed || failed.template !== null || template === undefined) return
      const { business, channel, customer, ours, text } = failed
      // It is gone with what it was made of.
      if (text === '') return
      const thread = { business, channel, customer }
      if ((await this.#standingOf(thread)).stopped) return
      const at = new Date(this.#with.clock.wallMs())
      await this.#take({ id: templateTextId(id), ...thread, ours, text, template, at })
    })
  }

  /** What a gateway that died has left open, its own or another's, now and from time to time. */
  watch(): void {
    this.#inBackground(() => this.settleOpen())
    this.#stopLooking = every(this.#with.clock, limits.twilio.texts.lookMs, () =>
      this.#inBackground(() => this.settleOpen()),
    )
  }

  async settleOpen(): Promise<void> {
    const { store, clock } = this.#with
    const { openMs, waiting } = limits.twilio.texts
    const open = await store.ask(db => openTexts(db, 'all', new Date(clock.wallMs() - openMs), waiting))
    for (const text of open) {
      if (await this.#adopt(text)) continue
      this.#tell(text, { name: 'textTold', status: 'unknown' })
      const words = 'it is not known whether a message was sent: it is not sent again, see GET /v1/texts?status=unknown'
      this.#with.log.error({ text: text.id, business: text.business }, words)
    }
    await this.#with.kept()
  }

  /** Settles when nothing is under way any more. */
  async close(): Promise<void> {
    this.#stopLooking()
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** By all that this gateway was told: a customer's last word may be STOP, and not in the database yet. */
  async #standingOf(thread: Pick<Outgoing, 'business' | 'channel' | 'customer'>): Promise<Standing> {
    const { kept, store } = this.#with
    await kept()
    await store.caughtUp()
    return store.ask(db => standingOf(db, 'all', thread))
  }

  async #take(text: Outgoing): Promise<TextTaken> {
    // Whoever comes second finds the row, on any gateway.
    const { id, business, channel, customer, ours, template } = text
    const row = { id, business, channel, customer, ours, text: text.text, template, at: text.at }
    if (!(await this.#with.store.ask(db => claimText(db, 'all', row)))) {
      const other = await this.#with.store.ask(db => findText(db, 'all', id))
      return other ? again(other, text) : refused('full')
    }
    const named = template === null ? {} : { template }
    this.#tell(text, { name: 'textWanted', channel, ...named, private: { customer, ours, text: text.text } })
    try {
      await this.#with.kept()
    } catch (error) {
      // Without a trace on the disk nothing goes out.
      this.#tell(text, { name: 'textTold', status: 'failed' })
      throw error
    }
    this.#inBackground(() => this.#request(text))
    return { kind: 'taken', status: 'wanted' }
  }

  async #request(text: Outgoing): Promise<void> {
    try {
      const { sid } = await this.#with.rest.text(requestOf(text, this.#with.publicBaseUrl))
      this.#tell(text, { name: 'textSent', carrier: sid })
    } catch (error) {
      const { unsure, number } = error instanceof CarrierError ? error : { unsure: true, number: undefined }
      this.#with.log.warn({ text: text.id, business: text.business, unsure }, asError(error).message)
      // Looked for again when the list has had time to show it.
      if (unsure) await this.#adopt(text)
      else this.#tell(text, { name: 'textTold', status: 'failed', ...(number !== undefined && { errorCode: number }) })
      if (number === UNSUBSCRIBED) {
        const { channel, customer } = text
        this.#tell(text, { name: 'consentTold', channel, stopped: true, private: { customer } })
      }
    }
    await this.#with.kept()
  }

  /** Among the messages to this customer since then: one of these words that is no other's. */
  async #adopt(text: Outgoing): Promise<boolean> {
    const { rest, store } = this.#with
    const { channel, customer, at } = text
    const found = await rest.textsTo(addressed(channel, customer), at.getTime() - limits.twilio.texts.clockMs)
    // Of two messages of the same words the one must not take what the other has just been told to be.
    await this.#with.kept()
    await store.caughtUp()
    const known = await store.ask(db =>
      knownCarriers(
        db,
        'all',
        found.map(({ sid }) => sid),
      ),
    )
    const own = found.filter(({ body }) => isOf(text, body)).findLast(({ sid }) => !known.has(sid))
    if (own) this.#tell(text, { name: 'textSent', carrier: own.sid })
    return own !== undefined
  }

  #tell({ id, business }: Outgoing, fact: CallEvent['fact']): void {
    this.#with.tell({ call: id, business, atMs: this.#with.clock.wallMs(), fact })
  }

  #inBackground(run: () => Promise<void>): void {
    const running = run().catch(error => this.#with.log.warn({ err: error }, 'messages could not be seen to'))
    this.#underWay.add(running)
    void running.finally(() => this.#underWay.delete(running))
  }
}

/** Who writes: WhatsApp's senders are numbers of their own. */
function numbersOf({ numbers: [sms], texts: { whatsappNumber: whatsapp } }: Business) {
  return { sms, whatsapp }
}

/** How a message may go out now, or why not. */
function wayOf(
  channel: TextChannel,
  { stopped, lastWroteAt }: Standing,
  nowMs: number,
  template: string | undefined,
): { readonly template: string | undefined } | { readonly why: TextRefusal } {
  if (stopped) return { why: 'stopped' }
  if (channel === 'sms') return { template: undefined }
  const inSession = lastWroteAt !== null && nowMs - lastWroteAt.getTime() < limits.twilio.whatsappSessionMs
  if (inSession) return { template: undefined }
  return template === undefined ? { why: 'outsideSession' } : { template }
}

const words: Readonly<Record<TextRefusal, string>> = {
  stopped: 'The customer has asked for no more messages: nothing is sent until they write START.',
  noNumber:
    'The business has no number to write from: set numbers, for WhatsApp texts.whatsappNumber, or TWILIO_PHONE_NUMBER and TWILIO_WHATSAPP_NUMBER for all.',
  outsideSession:
    'The customer has not written by WhatsApp for a day: only an approved template reaches them, and the business has none (texts.whatsappTemplate).',
  full: 'Too many messages wait to be sent: try again later.',
}

function refused(why: TextRefusal): TextTaken {
  return { kind: 'refused', why, words: words[why] }
}

type Said = Pick<Outgoing, 'business' | 'channel' | 'customer' | 'text'>

function again({ status, ...before }: StoredText, wanted: Said): TextTaken {
  const same = (['business', 'channel', 'customer', 'text'] as const).every(key => before[key] === wanted[key])
  return same && status !== 'received' ? { kind: 'taken', status } : { kind: 'conflict' }
}

function addressed(channel: TextChannel, number: string): string {
  return channel === 'whatsapp' ? `whatsapp:${number}` : number
}

function requestOf({ id, business, channel, customer, ours, text, template }: Outgoing, base: string): Request {
  return {
    to: addressed(channel, customer),
    from: addressed(channel, ours),
    statusCallback: addressOf(base, '/v1/twilio/message-status', { text: id, business }),
    ...(template === null ? { body: text } : { template, variables: { 1: text } }),
  }
}

/** Of a template Twilio tells what it has made of it. */
function isOf({ text, template }: Outgoing, body: string): boolean {
  return template === null ? body.trim() === text.trim() : body.includes(text.trim())
}
