import { writeSync } from 'node:fs'
import { join } from 'node:path'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import { type Journal, openJournal } from '../../../src/call/journal.ts'
import { systemClock } from '../../../src/clock.ts'
import { jobsWantedBy } from '../../../src/desk/wanted.ts'
import { Working } from '../../../src/desk/working.ts'
import { createLog } from '../../../src/log.ts'
import { deletingIn, keptHandlers } from '../../../src/own-kept.ts'
import type { JobKind } from '../../../src/store/jobs.ts'
import { Store } from '../../../src/store/store.ts'
import { businessWith } from '../../support/hooked.ts'
import type { Place } from './desk-node.ts'

/** Where a life ends: of sounds, of the tables, of what is told, and of the journal. */
export const stages = ['unlinked', 'deleted', 'forgotten', 'told', 'rotated', 'dropped'] as const
type Stage = (typeof stages)[number]

interface KeepingParts extends Place {
  readonly stage?: Stage | undefined
  /** Nobody's jobs but these. */
  readonly kinds?: readonly JobKind[]
  /** Of what is wanted it hears nothing: others come first. */
  readonly deaf?: boolean
}

/** Of a gateway all that has to do with what it keeps on its disk, wired as there; it may stand still at one stage. */
export async function keepingNode({
  state,
  folder,
  url,
  stage,
  kinds = ['forget', 'clean'],
  deaf = false,
}: KeepingParts) {
  const trouble: string[] = []
  const note = (text: string) => void trouble.push(text)
  const ended: string[] = []
  const log = createLog('silent', { write: () => {} })
  let stands = false
  const stop = () => {
    // Of two jobs at once each stops.
    if (!stands) writeSync(1, `${stage}\n`)
    stands = true
    return new Promise<never>(() => {})
  }
  const journal = await openJournal({ directory: join(state, 'journal'), clock: systemClock, trouble: note })
  const store: Store = new Store({
    ...{ url, folder, source: journal, clock: systemClock, trouble: note },
    work: {
      wantedBy: event => jobsWantedBy(event, businessWith()).filter(({ kind }) => kinds.includes(kind)),
      wanted: woken => !deaf && working.wake(woken),
    },
  })
  const observe = (event: CallEvent) => {
    const isEnd =
      (stage === 'unlinked' && isDeletion(event)) || (stage === 'forgotten' && event.fact.name === 'callerForgotten')
    if (isEnd) void stop()
    else journal.append(event)
  }
  const stopped = { path: state } as Parameters<typeof deletingIn>[0]['state']
  const held: Journal = Object.create(journal, {
    dropTaken: {
      value: async (dropping: Parameters<Journal['dropTaken']>[0]) => {
        if (stage === 'told') return stop()
        await journal.dropTaken(stage === 'rotated' ? { ...dropping, notOver: stop } : dropping)
        return stage === 'dropped' ? stop() : true
      },
    },
    flushed: { value: () => (stands ? new Promise(() => {}) : journal.flushed()) },
    read: { value: journal.read.bind(journal) },
  })
  const deleteSound = deletingIn({ state: stopped, journal: held, store, observe })
  const directory = { all: [{ id: 'dentist' }], find: () => businessWith() }
  const handlers = keptHandlers(
    { sendHook: async () => ({ kind: 'taken', status: 204 }), log },
    {
      ...{ state: stopped, journal: held, store, observe, exchange: { live: [], dropEnded: () => {} } },
      telephony: { talking: () => undefined },
      directory: directory as unknown as Parameters<typeof keptHandlers>[1]['directory'],
      async deleteSound(sound, by) {
        await deleteSound(sound, by)
        if (stage === 'deleted') await stop()
      },
    },
  )
  const mine = Object.entries(handlers).filter(([kind]) => kinds.includes(kind as JobKind))
  const working: Working = new Working({
    ...{ jobs: () => store.jobs, handlers: Object.fromEntries(mine), clock: systemClock, log },
    ended: (kind, how) => void ended.push(`${kind} ${how}`),
  })
  await store.open()
  return {
    ...{ journal, store, working, trouble, ended, deleteSound },
    async tell(call: string, business: string, ...facts: readonly CallFact[]) {
      for (const fact of facts) journal.append({ call, business, atMs: systemClock.wallMs(), fact })
      await journal.flushed()
      await store.caughtUp()
    },
    async close() {
      await working.close()
      await store.close()
      await journal.close()
    },
  }
}

function isDeletion({ fact }: CallEvent): boolean {
  return fact.name === 'recordingDeleted' || fact.name === 'voicemailDeleted'
}

/** As a program, until it stands still and is killed. */
if (process.argv[1] === import.meta.filename) {
  const [state = '', folder = '', url = '', stage = ''] = process.argv.slice(2)
  const node = await keepingNode({ state, folder, url: url || undefined, stage: stage as Stage })
  node.working.watch()
}
