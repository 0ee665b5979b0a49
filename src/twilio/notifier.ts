import { noticeTextId } from '../call/text-ids.ts'
import type { Notifier } from '../desk/notifier.ts'
import type { TextSender } from '../desk/text-sender.ts'
import { GatewayError } from '../errors.ts'

/** A text message to the telephone of whoever wants to be told; sent once, as any other, and never to who has stopped it. */
export function textNotifier(sender: TextSender): Notifier {
  return {
    by: 'text',
    async deliver({ call, kind, about, words: text }, business) {
      const { phone: to } = business.notify
      if (to === undefined) return
      const id = noticeTextId({ kind, call, about })
      const taken = await sender.send({ id, business, channel: 'sms', to, text })
      if (taken.kind === 'refused') throw new GatewayError('TOOL_FAILED', taken.words)
      if (taken.kind === 'conflict') throw new GatewayError('TOOL_FAILED', 'it was told before, in other words')
    },
  }
}
