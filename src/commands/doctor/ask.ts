import { systemClock } from '../../clock.ts'
import { asError } from '../../errors.ts'
import { limits } from '../../limits.ts'

interface Answer {
  readonly status: number
  /** Parsed; undefined when it was no JSON. Never printed: servers repeat keys in it. */
  readonly body: unknown
  /** How far the server's clock is ahead of ours, when it told its time. */
  readonly skewMs: number | undefined
}

export type Asked = Answer | { readonly unreachable: string }

/** One question over HTTP. What it carries goes to this address and nowhere else. */
export async function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Asked> {
  try {
    const signal = AbortSignal.timeout(limits.doctor.answerMs)
    const startedMs = systemClock.wallMs()
    const response = await fetch(url, { headers: { ...headers, connection: 'close' }, redirect: 'manual', signal })
    const middleMs = (startedMs + systemClock.wallMs()) / 2
    const told = Date.parse(response.headers.get('date') ?? '')
    const body = await readJson(response)
    return { status: response.status, body, skewMs: Number.isNaN(told) ? undefined : told - middleMs }
  } catch (thrown) {
    return { unreachable: whyUnreachable(asError(thrown)) }
  }
}

export function basic(user: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

async function readJson(response: Response): Promise<unknown> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > limits.doctor.answerBytes) return undefined
    parts.push(part)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString())
  } catch {
    return undefined
  }
}

function whyUnreachable(error: Error): string {
  const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException
  if (error.name === 'TimeoutError') return `it did not answer within ${limits.doctor.answerMs / 1_000} s`
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name has no address'
  return String(code ?? message)
}
