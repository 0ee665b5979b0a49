import type { AnnounceTransfer, TransferNotice } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { type Answer, exchange, type HttpRequest } from './exchange.ts'
import type { HttpToolParts } from './http-tools.ts'

export interface WebhookParts extends Pick<HttpToolParts, 'reach' | 'resolve'> {
  readonly clock: Clock
}

/** Tells a business's own system of a transfer that begins, for whoever's screen shows who calls. */
export function transferWebhook(parts: WebhookParts): AnnounceTransfer {
  return async (notice, signal) => {
    const { webhook } = notice.business.transfers
    if (webhook === undefined) return
    const request = requestOf(new URL(webhook), notice)
    let problem = problemWith(await ask(request, parts, signal))
    // What came may come again: the key tells.
    if (problem?.passes && !signal.aborted) problem = problemWith(await ask(request, parts, signal))
    if (problem) throw new GatewayError('TOOL_FAILED', `${problem.words}.`)
  }
}

async function ask(request: HttpRequest, { clock, ...reach }: WebhookParts, signal: AbortSignal): Promise<Answer> {
  const over = new AbortController()
  const cancel = clock.after(limits.transfer.webhookMs, () => over.abort(new Error('The time is over.')))
  try {
    const answer = await exchange(request, reach, AbortSignal.any([signal, over.signal]))
    return over.signal.aborted ? { kind: 'unanswered', sent: true, why: tooLate } : answer
  } finally {
    cancel()
  }
}

const tooLate = `it took longer than ${limits.transfer.webhookMs} ms`

/** Nothing of what it answers is read but whether it was taken. */
function problemWith(answer: Answer): { readonly words: string; readonly passes: boolean } | undefined {
  switch (answer.kind) {
    case 'barred':
      return { words: 'its address is private, see TOOLS_ALLOW_PRIVATE', passes: false }
    case 'unanswered':
    case 'broken':
      return { words: answer.why, passes: true }
    case 'answered': {
      const { status } = answer
      if (status >= 200 && status < 300) return undefined
      return { words: `it answered ${status}`, passes: status >= 500 || status === 429 }
    }
  }
}

function requestOf(url: URL, { business, call, attempt, caller, ...told }: TransferNotice): HttpRequest {
  const { destination, mode, by, reason, parameters } = told
  const { number, name } = caller
  const body = JSON.stringify({
    event: 'transfer',
    ...{ call, attempt, business: business.id, destination, mode, by },
    reason: reason ?? null,
    caller: { number, name: name ?? null },
    parameters,
  })
  const headers = {
    accept: 'application/json',
    'user-agent': 'parley',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'idempotency-key': `${call}-transfer-${attempt}`,
  }
  return { method: 'POST', url, headers, body }
}
