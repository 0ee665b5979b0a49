import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent } from 'node:http'
import { type Clock, within } from '../clock.ts'
import { type ErrorCode, GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { SentRequest, SwaggerModule } from './ari-client-copy.ts'

/** What ari-client does on our behalf from one call of ours: one HTTP request, or many while it reads the API. */
interface Exchange {
  status: number | undefined
  readonly fail: (thrown: unknown) => void
  readonly sent: SentRequest[]
}

/** Asterisk answered, and the answer was no. */
export class AriRejection extends GatewayError {
  readonly status: number

  constructor(code: ErrorCode, status: number, message: string) {
    super(code, message)
    this.status = status
  }
}

const LONGEST_WORDS = 200
/** Well before Asterisk closes an idle connection itself, or a request may meet the closing. */
const IDLE_MS = 5_000

/** Asterisk's words for a channel that has ended, or that the dialplan has taken back. */
const goneWords = new Set([
  'Channel not found',
  'Provided channel was not found',
  'Event source does not exist',
  'Channel not in Stasis application',
])

/**
 * Runs ari-client's requests to a certain end. Left alone it never settles a request whose connection fails, forgets the
 * status of a refusal, and throws where nobody can catch it when an answer is not what it expects.
 */
export class AriRequests {
  readonly #clock: Clock
  readonly #exchanges = new AsyncLocalStorage<Exchange>()

  constructor(swagger: SwaggerModule, clock: Clock) {
    this.#clock = clock
    const http = swagger.SwaggerHttp.prototype
    const execute = http.execute
    const agent = new Agent({ keepAlive: true, maxSockets: limits.ari.requestsAtOnce, timeout: IDLE_MS })
    http.execute = request => {
      // Given an agent, `shred` would make it the user agent's name as well.
      const headers = { ...request.headers, 'user-agent': 'parley' }
      const sent = execute.call(http, { ...request, headers, agent })
      watch(sent, this.#exchanges.getStore())
      return sent
    }
  }

  async run<T>(name: string, start: () => PromiseLike<T>): Promise<T> {
    const failed = Promise.withResolvers<never>()
    const exchange: Exchange = { status: undefined, fail: failed.reject, sent: [] }
    const late = () =>
      new GatewayError('ARI_TIMEOUT', `Asterisk did not answer ${name} within ${limits.ari.requestMs} ms.`, {
        retryable: true,
      })
    const outcome = Promise.race([this.#exchanges.run(exchange, start), failed.promise])
    try {
      return await within(this.#clock, limits.ari.requestMs, outcome, late)
    } catch (thrown) {
      for (const { _raw } of exchange.sent) _raw.destroy()
      throw failure(name, exchange.status, thrown)
    }
  }
}

function watch({ emitter, _raw }: SentRequest, exchange: Exchange | undefined): void {
  exchange?.sent.push({ emitter, _raw })
  emitter.on('request_error', error => exchange?.fail(error))
  const emit = emitter.emit
  emitter.emit = (name, ...values) => {
    const [response] = values
    if (exchange && (name === 'response' || name === 'error')) exchange.status = response?.status
    try {
      return emit.call(emitter, name, ...values)
    } catch (thrown) {
      exchange?.fail(thrown)
      return true
    }
  }
}

function failure(name: string, status: number | undefined, thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  if (status === undefined) {
    const message = `Asterisk could not be reached for ${name}: ${networkWords(thrown)}.`
    return new GatewayError('ARI_UNREACHABLE', message, { retryable: true })
  }
  if (status < 400) return new AriRejection('ARI_REJECTED', status, `Asterisk's answer to ${name} cannot be read.`)
  if (status === 401) return refused()
  const words = answerWords(thrown)
  if (goneWords.has(words)) return new AriRejection('CHANNEL_GONE', status, `${words} (${name}).`)
  return new AriRejection('ARI_REJECTED', status, `Asterisk rejected ${name}: ${status} ${words}`.trim())
}

export function refused(): GatewayError {
  const remedy = 'Check ARI_USERNAME and ARI_PASSWORD against ari.conf of that Asterisk.'
  return new GatewayError('ARI_REFUSED', `Asterisk refuses our user name or password. ${remedy}`)
}

/** Never the message itself: it may name the URL. */
function networkWords(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' ? code : 'the connection failed'
}

function answerWords(thrown: unknown): string {
  if (!(thrown instanceof Error)) return ''
  try {
    const { message } = JSON.parse(thrown.message)
    return typeof message === 'string' ? message.slice(0, LONGEST_WORDS) : ''
  } catch {
    return ''
  }
}
