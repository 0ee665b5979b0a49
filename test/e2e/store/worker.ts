import { writeSync } from 'node:fs'
import type { CallEvent } from '../../../src/call/events.ts'
import { askedWork } from '../../../src/own-kept.ts'
import type { Place } from './desk-node.ts'
import { type Outside, type Point, workingNode } from './working-node.ts'

/** Of a life that is to end so. */
export interface Life {
  readonly place: Place
  readonly outside: Outside
  readonly point: Point
  readonly told: readonly CallEvent[]
}

/** A gateway that is told of what happened and works, until it stands still at one point of each job and is killed. */
const { place, outside, point, told } = JSON.parse(process.argv[2]!) as Life
const stop = (work: string) => {
  writeSync(1, `${work}\n`)
  return new Promise<never>(() => {})
}
const node = await workingNode(place, outside, { point, stop })
for (const event of told) node.tell(event)
await node.caughtUp()
await askedWork(node.store, { wanted: () => {} })({ kind: 'clean', key: 'a day', business: '', subject: {} })
node.working.watch()
