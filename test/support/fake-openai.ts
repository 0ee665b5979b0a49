import type { FakeOpenAi } from '../../src/fake-openai/api.ts'
import { limits } from '../../src/limits.ts'
import { type Dial, Refusal } from '../../src/providers/openai/wire.ts'

/** Reaches the double without a socket: every frame arrives, in order, and none within the call that sent it. */
export function dialFake(api: FakeOpenAi): Dial {
  return async (url, headers, listener, signal) => {
    const refused = api.refusal({ url, authorization: headers['authorization'] })
    if (refused) throw new Refusal(refused.status, refused.retryAfter)
    let open = true
    const lost = (why: string) => {
      if (!open) return
      open = false
      session.end()
      queueMicrotask(() => listener.lost(why))
    }
    const deliver = (frame: () => void) => queueMicrotask(() => open && frame())
    const session = api.open({
      text: frame => {
        if (frame.length > limits.openai.frameBytes) return lost('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
        deliver(() => listener.text(frame))
      },
      binary: () => deliver(() => listener.unreadable()),
      close: () => queueMicrotask(() => lost('it was closed with code 1006')),
    })
    signal.addEventListener('abort', () => lost('aborted'), { once: true })
    return {
      send: frame => queueMicrotask(() => open && session.receive(frame)),
      ping: () => queueMicrotask(() => open && !session.isSwallowed && listener.alive()),
      queuedBytes: 0,
      close: () => lost('closed'),
    }
  }
}
