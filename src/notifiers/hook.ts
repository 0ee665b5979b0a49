import { createHmac } from 'node:crypto'
import { hookKeys } from '../business-kept.ts'
import type { Delivery, HookAnswer, SendHook } from '../desk/hooks.ts'
import { limits } from '../limits.ts'
import type { Answer } from '../tools/exchange.ts'
import { answerTo, type PostParts } from '../tools/post.ts'

export interface HookParts extends PostParts {
  /** Where the secrets stand, by their names. */
  readonly secrets: Readonly<Record<string, string | undefined>>
}

/**
 * To an integrator, signed: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * Never to a private address, unless that was allowed; a redirect is not followed.
 */
export function hookSender({ secrets, ...parts }: HookParts): SendHook {
  return async ({ id, url, secret, body }, signal) => {
    const keys = hookKeys(secrets[secret])
    const { least } = limits.hooks.secretChars
    if (!keys) return refused(`${secret} holds no secret of at least ${least} characters`, true)
    const headers = headersOf({ id, body }, keys, Math.floor(parts.clock.wallMs() / 1_000))
    const request = { method: 'POST', url: new URL(url), headers, body }
    return answerOf(await answerTo(request, limits.hooks.answerMs, parts, signal))
  }
}

function headersOf({ id, body }: Pick<Delivery, 'id' | 'body'>, keys: readonly Buffer[], seconds: number) {
  return {
    accept: '*/*',
    'user-agent': 'parley',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': keys.map(key => signatureOf(key, `${id}.${seconds}.${body}`)).join(' '),
  }
}

function signatureOf(key: Buffer, text: string): string {
  return `v1,${createHmac('sha256', key).update(text).digest('base64')}`
}

const GONE = 410

function answerOf(answer: Answer): HookAnswer {
  switch (answer.kind) {
    case 'barred':
      return refused('its address is private, see TOOLS_ALLOW_PRIVATE', true)
    case 'unanswered':
    case 'broken':
      return refused(answer.why, false)
    case 'answered': {
      const { status } = answer
      if (status >= 200 && status < 300) return { kind: 'taken', status }
      return { ...refused(`it answered ${status}`, status === GONE), status }
    }
  }
}

function refused(why: string, hopeless: boolean): HookAnswer & { readonly kind: 'refused' } {
  return { kind: 'refused', status: undefined, why, hopeless }
}
