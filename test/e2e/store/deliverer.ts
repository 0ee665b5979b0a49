import { join } from 'node:path'
import type { CallFact } from '../../../src/call/events.ts'
import { openJournal } from '../../../src/call/journal.ts'
import { systemClock } from '../../../src/clock.ts'
import { deliveriesWantedBy, type Hook, type SendHook } from '../../../src/desk/hooks.ts'
import { deliver } from '../../../src/desk/jobs/deliver.ts'
import { Working } from '../../../src/desk/working.ts'
import { createLog } from '../../../src/log.ts'
import { hookSender } from '../../../src/notifiers/hook.ts'
import { eventsSince } from '../../../src/store/calls.ts'
import {
  deliveryAttempted,
  deliveryNamed,
  deliveryUntold,
  isHookOff,
  keepDelivery,
} from '../../../src/store/deliveries.ts'
import { storyOf } from '../../../src/store/notices.ts'
import { Store } from '../../../src/store/store.ts'
import { reachOf } from '../../../src/tools/reach.ts'
import { businessWith } from '../../support/hooked.ts'

/** A gateway as far as it tells integrators, which a test drives, or kills. Says where it is, and stays where it is to be killed. */
export interface DelivererParts {
  readonly state: string
  readonly url: string | undefined
  readonly hook: Hook
  readonly secret: string
  readonly around?: (send: SendHook) => SendHook
}

export async function openDeliverer({ state, url, hook, secret, around = send => send }: DelivererParts) {
  const trouble: string[] = []
  const clock = systemClock
  const journal = await openJournal({ directory: join(state, 'journal'), clock, trouble: text => trouble.push(text) })
  const business = businessWith(hook)
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
  const send = hookSender({ clock, resolve, reach: reachOf(['127.0.0.0/8']), secrets: { TOOL_CRM: secret } })
  const store: Store = new Store({
    ...{ url, folder: join(state, 'database'), source: journal, clock, trouble: text => trouble.push(text) },
    work: { wantedBy: event => deliveriesWantedBy(event, business), wanted: kinds => working.wake(kinds) },
  })
  const ended: string[] = []
  const log = createLog('silent', { write: () => {} })
  const working: Working = new Working({
    ...{ jobs: () => store.jobs, clock, log, ended: (_kind, how) => void ended.push(how) },
    handlers: {
      deliver: deliver({
        ...{ send: around(send), clock, log, find: () => business },
        record: call => store.ask(db => storyOf(db, 'all', call)),
        stored: id => store.ask(db => deliveryNamed(db, 'all', id)),
        keep: delivery => store.ask(db => keepDelivery(db, 'all', delivery)),
        attempted: (id, attempt) => store.ask(db => deliveryAttempted(db, 'all', id, attempt)),
        untold: (id, why) => store.ask(db => deliveryUntold(db, 'all', id, why)),
        isOff: (business, hook) => store.ask(db => isHookOff(db, 'all', { business, hook })),
      }),
    },
  })
  await store.open()
  working.watch()
  return {
    ...{ store, journal, working, ended, trouble },
    async tell(call: string, ...facts: readonly CallFact[]) {
      for (const fact of facts) journal.append({ call, business: 'dentist', atMs: clock.wallMs(), fact })
      await journal.flushed()
      await store.caughtUp()
    },
    /** As a person has it wanted. */
    async again() {
      const found = await store.ask(db => eventsSince(db, 'all', { since: new Date(0), after: '0', count: 100 }))
      await store.jobs!.want(found.flatMap(({ event }) => deliveriesWantedBy(event, business)))
      working.wake(['deliver'])
    },
    async close() {
      await working.close()
      await store.close()
      await journal.close()
    },
  }
}

/** As a program: tells one call, and goes no further than the answer to its first delivery. */
if (process.argv[1] === import.meta.filename) {
  const [state = '', url = '', target = '', secret = ''] = process.argv.slice(2)
  const hook = { name: 'crm', url: target, events: ['call.ended'], secret: 'TOOL_CRM', private: false, enabled: true }
  const deliverer = await openDeliverer({
    ...{ state, url: url || undefined, hook: hook as unknown as Hook, secret },
    around: send => async (delivery, signal) => {
      await send(delivery, signal)
      process.stdout.write('sent\n')
      return new Promise(() => {})
    },
  })
  await deliverer.tell('killed', { name: 'ended', reason: 'callerHungUp', durationMs: 1_000 })
}
