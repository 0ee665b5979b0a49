import type { AnnounceTransfer, TransferNotice } from '../call/ports.ts'
import { limits } from '../limits.ts'
import { type PostParts, postJson } from './post.ts'

/** Tells a business's own system of a transfer that begins, for whoever's screen shows who calls. */
export function transferWebhook(parts: PostParts): AnnounceTransfer {
  return async (notice, signal) => {
    const { webhook: url } = notice.business.transfers
    if (url === undefined) return
    const key = `${notice.call}-transfer-${notice.attempt}`
    await postJson({ url, key, value: toldOf(notice), withinMs: limits.transfer.webhookMs }, parts, signal)
  }
}

function toldOf({ business, call, attempt, caller, ...told }: TransferNotice): object {
  const { destination, mode, by, reason, parameters } = told
  const { number, name } = caller
  return {
    event: 'transfer',
    ...{ call, attempt, business: business.id, destination, mode, by },
    reason: reason ?? null,
    caller: { number, name: name ?? null },
    parameters,
  }
}
