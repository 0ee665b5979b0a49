import { asError } from '../errors.ts'
import { limits } from '../limits.ts'

interface Hidden {
  reveal(): string
}

export interface Account {
  readonly accountSid: string | undefined
  readonly authToken: Hidden | undefined
  readonly apiKey: string | undefined
  readonly apiSecret: Hidden | undefined
  readonly baseUrl: string
}

/** `forGood`: it would be the same another time. */
export class Unfetched extends Error {
  readonly forGood: boolean

  constructor(message: string, forGood = false) {
    super(message)
    this.forGood = forGood
  }
}

/** The sound of a recording, whole. Asked at an address that is made here; what a webhook names is never asked. */
export async function soundOf(recording: string, account: Account, signal: AbortSignal): Promise<Uint8Array> {
  const { accountSid, apiKey, apiSecret, authToken, baseUrl } = account
  const [user, secret] = apiKey !== undefined && apiSecret ? [apiKey, apiSecret] : [accountSid, authToken]
  if (accountSid === undefined || user === undefined || secret === undefined)
    throw new Unfetched('there are no keys for the account: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN')
  const url = new URL(`${baseUrl}/2010-04-01/Accounts/${accountSid}/Recordings/${recording}.wav`)
  const authorization = `Basic ${Buffer.from(`${user}:${secret.reveal()}`).toString('base64')}`
  const until = AbortSignal.any([signal, AbortSignal.timeout(limits.twilio.recording.fetchMs)])
  try {
    const answer = await ask(url, { authorization }, until)
    const elsewhere = redirectIn(answer, url)
    if (elsewhere === undefined) return await soundIn(answer)
    // The credentials stay where they belong.
    await answer.body?.cancel()
    return await soundIn(await ask(elsewhere, {}, until))
  } catch (error) {
    throw error instanceof Unfetched ? error : new Unfetched(whyOf(error))
  }
}

function ask(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
  return fetch(url, { headers, redirect: 'manual', signal })
}

/** Where it is kept instead: with Twilio, or where its API was asked. Anywhere else is not asked. */
export function redirectIn({ status, headers }: Pick<Response, 'status' | 'headers'>, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) return undefined
  const location = headers.get('location') ?? ''
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined
  const twilios = to?.protocol === 'https:' && /(^|\.)twilio\.com$/.test(to.hostname) && to.port === ''
  if (!to || !(twilios || to.origin === from.origin))
    throw new Unfetched('it is kept at an address that is none of the carrier', true)
  return to
}

async function soundIn(answer: Response): Promise<Uint8Array> {
  const { status, body, headers } = answer
  if (status !== 200) {
    await body?.cancel()
    throw new Unfetched(`the carrier answered ${status}`)
  }
  const { bytes } = limits.twilio.recording
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of body ?? []) {
    length += piece.byteLength
    if (length > bytes) throw new Unfetched(`it is larger than ${bytes} bytes`, true)
    pieces.push(piece)
  }
  const told = headers.get('content-length')
  if (told !== null && Number(told) !== length) throw new Unfetched('it broke off')
  const sound = Buffer.concat(pieces)
  if (!isWholeWav(sound)) throw new Unfetched('what came is no sound, or not all of it')
  return sound
}

const RIFF_HEADER_BYTES = 8

/** Its own length stands at its beginning; a writer that did not know it has left the greatest there, or none. */
function isWholeWav(sound: Buffer): boolean {
  if (sound.toString('latin1', 0, 4) !== 'RIFF' || sound.toString('latin1', 8, 12) !== 'WAVE') return false
  const told = sound.readUInt32LE(4)
  return told === 0 || told === 0xffff_ffff || sound.byteLength >= told + RIFF_HEADER_BYTES
}

/** Never an address, which tells of the account. */
function whyOf(error: unknown): string {
  const { name, cause } = asError(error)
  if (name === 'TimeoutError') return `it took longer than ${limits.twilio.recording.fetchMs} ms`
  const { code } = Object(cause) as { code?: unknown }
  return typeof code === 'string' ? `the connection failed (${code})` : 'the connection broke off'
}
