import { join } from 'node:path'
import type { z } from 'zod'
import type { Config } from '../config.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import { httpAddressHere } from '../own-address.ts'
import { apiTokenSecret, storedSecret } from '../secret.ts'

/** The running gateway, as a command talks to it. What goes wrong is told in words that name the remedy. */
export interface Api {
  readonly address: string
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>
  /** As it comes, of this type. */
  getText(path: string, type: string): Promise<string>
  send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body: Body, schema: z.ZodType<T>): Promise<T>
}

interface Body {
  readonly type: string
  readonly text: string
}

/** The gateway is there and says no, in words of its own. */
export class ApiRefused extends Error {
  /** Each thing that is wrong with what was sent. */
  readonly problems: readonly string[]

  constructor(detail: string, problems: readonly string[] = []) {
    super(detail)
    this.problems = problems
  }
}

/** Nobody is there to ask. */
export class ApiUnreachable extends Error {}

/** The gateway itself waits for its database. */
const ANSWER_MS = limits.store.askMs + 2_000

/** Finds the gateway by the same settings that it was started with. */
export async function openApi(
  config: Pick<Config, 'http' | 'stateDir' | 'apiToken'>,
  answerMs = ANSWER_MS,
): Promise<Api> {
  const address = httpAddressHere(config.http)
  const tokenFile = join(config.stateDir, apiTokenSecret.file)
  const token = config.apiToken?.reveal() ?? (await storedSecret(config.stateDir, apiTokenSecret))
  if (token === undefined) {
    throw new Error(
      `There is no API token in ${tokenFile}: Parley has not been started with this STATE_DIR yet. Start it with: npm start`,
    )
  }
  const source = config.apiToken === undefined ? tokenFile : 'API_TOKEN'
  const granted = async (path: string, request: RequestInit) => {
    const response = await ask(address, path, { token, answerMs }, request)
    if (response.status === 401) {
      throw new Error(
        `Parley at ${address} refuses the token from ${source}. Use the STATE_DIR or API_TOKEN that it was started with.`,
      )
    }
    if (!response.ok) throw refusalFrom(response.status, await bodyOf(response), address)
    return response
  }
  const answer = async <T>(path: string, request: RequestInit, schema: z.ZodType<T>) => {
    const result = schema.safeParse(await bodyOf(await granted(path, request)))
    if (!result.success) throw new Error(stranger(address))
    return result.data
  }
  return {
    address,
    get: (path, schema) => answer(path, {}, schema),
    getText: async (path, type) => (await granted(path, { headers: { accept: type } })).text(),
    send: (method, path, { type, text }, schema) =>
      answer(path, { method, headers: { 'content-type': type }, body: text }, schema),
  }
}

async function ask(
  address: string,
  path: string,
  { token, answerMs }: { readonly token: string; readonly answerMs: number },
  request: RequestInit,
): Promise<Response> {
  try {
    return await fetch(`${address}${path}`, {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${token}` },
      // The token goes to this address and nowhere else.
      redirect: 'error',
      signal: AbortSignal.timeout(answerMs),
    })
  } catch (error) {
    throw new ApiUnreachable(whyUnanswered(asError(error), address, answerMs), { cause: error })
  }
}

function whyUnanswered(error: Error, address: string, answerMs: number): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined
  if (error.name === 'TimeoutError') return `Parley at ${address} does not answer within ${answerMs / 1_000} seconds.`
  if (cause?.code === 'ECONNREFUSED') {
    return `Parley is not running at ${address}. Start it with: npm start (HTTP_HOST and HTTP_PORT say where it listens)`
  }
  return `Parley cannot be reached at ${address} (${cause?.code ?? cause?.message ?? error.message}). Check HTTP_HOST and HTTP_PORT.`
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch {
    return undefined
  }
}

function refusalFrom(status: number, body: unknown, address: string): Error {
  const { detail, problems } = Object(body) as { detail?: unknown; problems?: unknown }
  const told = Array.isArray(problems) ? problems.map(String) : []
  return typeof detail === 'string' ? new ApiRefused(detail, told) : new Error(`${stranger(address)} (${status})`)
}

function stranger(address: string): string {
  return `Something answers at ${address}, but it is not this version of Parley. Check HTTP_HOST and HTTP_PORT.`
}
