import { join } from 'node:path'
import type { CallEvent } from '../../../src/call/events.ts'
import type { Exchange } from '../../../src/call/exchange.ts'
import { openJournal } from '../../../src/call/journal.ts'
import { systemClock } from '../../../src/clock.ts'
import type { Surroundings } from '../../../src/own-asterisk.ts'
import { ownVoicemail } from '../../../src/own-voicemail.ts'
import { Scope } from '../../../src/scope.ts'
import { Store } from '../../../src/store/store.ts'
import type { Place } from './desk-node.ts'

/** Of a gateway its journal, its database and what looks for messages that were never told, wired as there. */
export async function messageNode({ state, folder, url }: Place, told: (event: CallEvent) => void = () => {}) {
  const scope = new Scope('node', () => {})
  const trouble = () => {}
  const journal = await openJournal({ directory: join(state, 'journal'), clock: systemClock, trouble })
  const store = new Store({ url, folder, source: journal, clock: systemClock, trouble })
  const opened = store.open()
  const tell = (event: CallEvent) => {
    journal.append(event)
    told(event)
  }
  const exchange = { foundLater: tell, find: () => undefined } as unknown as Exchange
  const offered: CallEvent = {
    ...{ call: 'c1', business: 'dentist', atMs: 1 },
    fact: {
      ...{ name: 'offered', engine: 'scripted', codec: 'ulaw' },
      private: { callerNumber: '+15550100101', calledUser: '', requestUri: '', parameters: {}, headers: {} },
    },
  }
  const voicemail = ownVoicemail({ config: {}, handlers: {} } as unknown as Surroundings, {
    ...{ journal, store, scope, storeOpened: () => opened, exchange: () => exchange },
    state: { path: state } as Parameters<typeof ownVoicemail>[1]['state'],
    directory: { standard: { id: 'standard' } } as Parameters<typeof ownVoicemail>[1]['directory'],
    earlierLife: call => (call === 'c1' ? [offered] : []),
  })
  await opened
  return {
    ...{ journal, store, tell, voicemail },
    async close() {
      await scope.close()
      await journal.flushed()
      await store.close()
      await journal.close()
    },
  }
}
