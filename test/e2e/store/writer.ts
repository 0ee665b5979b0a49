import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Worker } from 'node:worker_threads'
import { openJournal } from '../../../src/call/journal.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import { openDatabase } from '../../../src/store/database.ts'
import type { EventSource } from '../../../src/store/projection.ts'
import { Store } from '../../../src/store/store.ts'
import { broken, eventsOfCall } from './whole-call.ts'

/**
 * Of a gateway what keeps its record, wired as there, and calls that never end: a call every few milliseconds. What it has
 * done stands on its output before anything else happens, so that whoever ends it knows what it has acknowledged.
 */

const [name = '', state = '', folder = '', url = ''] = process.argv.slice(2)
const CALL_EVERY_MS = 20

const say = (word: string, what: string | number = '') => void writeSync(1, `${word} ${what}\n`)

const threads = new Set<Worker>()
process.on('worker', worker => void threads.add(worker))

let finishWith: readonly string[] | undefined
let killThreadAt = ''
createInterface({ input: process.stdin }).on('line', line => {
  const { kill, finish } = JSON.parse(line) as { kill?: string; finish?: string[] }
  killThreadAt = kill ?? ''
  finishWith = finish
})

function reached(moment: string): void {
  say(moment)
  if (killThreadAt !== moment) return
  killThreadAt = ''
  for (const thread of threads) void thread.terminate()
  threads.clear()
}

const trouble = (text: string) => say('trouble', text)
const journal = await openJournal({ directory: join(state, 'journal'), clock: systemClock, trouble })
const source: EventSource = {
  id: journal.id,
  async read(from) {
    const piece = await journal.read(from)
    if (piece.events.length > 0) reached('taking')
    return piece
  },
  taken(upTo) {
    journal.taken(upTo)
    reached('taken')
  },
  onWritten: listener => journal.onWritten(listener),
}
const store = new Store({ url: url || undefined, folder, source, clock: systemClock, trouble })
await store.open()
say('open')
const acknowledged: string[] = []
for (let call = 0; !finishWith; call++) {
  for (const event of eventsOfCall(`${name}-${call}`)) journal.append(event)
  say('appended', call)
  void journal.flushed().then(() => {
    acknowledged.push(`${name}-${call}`)
    say('acknowledged', call)
  })
  await pause(systemClock, CALL_EVERY_MS)
}
await journal.flushed()
do await store.caughtUp().then(() => pause(systemClock, CALL_EVERY_MS))
while (store.failing || journal.figures.waitingBytes > 0)
await store.close()
const database = await openDatabase({ url: url || undefined, folder })
say('broken', JSON.stringify(await broken(database.db, [...finishWith, ...acknowledged])))
await database.close()
await journal.close()
say('finished')
process.exit(0)
