import { writeSync } from 'node:fs'
import type { CallEvent } from '../../../src/call/events.ts'
import { type Point, workingNode } from './working-node.ts'

/** A gateway that is told of what happened and works, until it stands still at one point of each job and is killed. */
const [state = '', folder = '', url = '', openai = '', owner = '', twilio = '', point = '', told = '[]'] =
  process.argv.slice(2)
const stop = (kind: string) => {
  writeSync(1, `${kind}\n`)
  return new Promise<never>(() => {})
}
const at = { point: point as Point, stop }
const node = await workingNode({ state, folder, url: url || undefined }, { openai, owner, twilio }, at)
for (const event of JSON.parse(told) as CallEvent[]) node.tell(event)
await node.caughtUp()
node.working.watch()
