import { writeSync } from 'node:fs'
import type { CallEvent } from '../../../src/call/events.ts'
import { deskNode, laterClock } from './desk-node.ts'

/** A gateway that is told of a recording and fetches it, until it is killed. */
const [state = '', folder = '', url = '', twilio = '', shiftMs = '0', told = ''] = process.argv.slice(2)
const node = await deskNode({ state, folder, url: url || undefined }, twilio, laterClock(Number(shiftMs)))
if (told !== '') node.tell(JSON.parse(told) as CallEvent)
await node.caughtUp()
writeSync(1, 'told\n')
node.fetching.watch()
