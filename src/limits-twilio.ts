/** Every bound of what stands between Twilio and the gateway. */
export const twilioLimits = {
  /** Fields of a webhook, those of the same name each for itself, and the characters of one. */
  fields: 200,
  fieldChars: 16_000,
  /** Of one answer, below the 15 s after which Twilio asks the next address. */
  answerMs: 8_000,
  /** Requests without a right signature, a source, until it hears 429 unread; and sources remembered. */
  forged: { perMinute: 60, sources: 10_000 },
  /** Signed ones. */
  perCaller: { perMinute: 60, callers: 10_000 },
  perBusiness: { perMinute: 12_000, businesses: 2_000 },
  /** Repeated requests that are known to be so without the database. */
  sidsKnown: 10_000,
  /** Of an address that is dialled: https://www.twilio.com/docs/voice/twiml/sip has 255, and error 21227 1,024 for its headers. */
  sipUriChars: 254,
  sipHeaderChars: 1_000,
  contextNames: 20,
  contextChars: 200,
  /** From the webhook's answer to the call that it has led here: what is spoken before, and the way. */
  legToken: { aliveMs: 120_000, spent: 10_000 },
  /**
   * Of calls of which Twilio has not told all: what it has cost is asked a while after the end; the end itself when its longest
   * time is over by a margin. With four times as long between two attempts each time: 15 hours in all.
   */
  accounts: {
    ...{ priceMs: 120_000, marginMs: 300_000, lookMs: 60_000, atOnce: 4 },
    ...{ attempts: 6, retryMs: { first: 600_000, most: 6 * 3_600_000 } },
  },
  /** Of what a caller says into a recording, and of its file: two channels of 16-bit PCM at 8 kHz with room. */
  recording: {
    ...{ seconds: 120, bytes: 8 * 1024 * 1024, fetchMs: 30_000, atOnce: 4, lookMs: 60_000 },
    /** With four times as long between two of them each time: half a day in all. */
    ...{ attempts: 16, retryMs: { first: 40_000, most: 3_600_000 } },
  },
  /** Of one text message, https://www.twilio.com/docs/api/errors/21617 */
  textChars: 1_600,
  /** What became of a message is looked for when no request for it can be under way any more; clocks may differ. */
  texts: { waiting: 200, openMs: 120_000, lookMs: 60_000, clockMs: 60_000, closeMs: 5_000 },
  /** After a customer has last written by WhatsApp, https://www.twilio.com/docs/api/errors/63016 */
  whatsappSessionMs: 24 * 3_600_000,
  /** Of what is asked of Twilio. Only what it has not begun (429) is asked again. */
  rest: {
    answerMs: 10_000,
    answerBytes: 4 * 1024 * 1024,
    retries: 3,
    retryMs: { first: 500, most: 5_000 },
    atOnce: 10,
    /** Looked through for one whose fate is not known. */
    textsListed: 100,
  },
  /** In one answer of the numbers; and for all that one request asks of Twilio. */
  numbers: { listed: 1_000, found: 30, requestMs: 60_000 },
  outbound: {
    attempts: 5,
    /** Of one business, that have not ended. */
    waiting: 1_000,
    /** In `outbound.to` of a business. */
    prefixes: 100,
    /** Between two looks at whose turn it is, while there are any; and while there are none, for another gateway may take some. */
    lookMs: 1_000,
    idleMs: 10_000,
    /** For the first word about a call of which it is not known whether it was made. */
    unsureMs: 120_000,
  },
  testCallMs: 30_000,
} as const
