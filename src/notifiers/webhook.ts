import type { Notifier } from '../desk/notifier.ts'
import { limits } from '../limits.ts'
import { type PostParts, postJson } from '../tools/post.ts'

/** To a business's own system; never to a private address, unless that was allowed. */
export function webhookNotifier(parts: PostParts): Notifier {
  return {
    by: 'webhook',
    async deliver({ kind, about, call, business, atMs, callerNumber, words }, { notify }, signal) {
      const { webhook: url } = notify
      if (url === undefined) return
      const at = new Date(atMs).toISOString()
      const value = { event: 'notice', kind, call, business, at, caller: { number: callerNumber ?? null }, text: words }
      // Asked twice at most, within the time that a notice has.
      const withinMs = limits.notice.deliverMs / 2
      await postJson(
        { url, key: [call, 'notice', kind, ...(about === '' ? [] : [about])].join('-'), value, withinMs },
        parts,
        signal,
      )
    },
  }
}
