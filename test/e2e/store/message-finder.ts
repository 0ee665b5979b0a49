import { writeSync } from 'node:fs'
import { messageNode } from './message-node.ts'

/** A gateway that begins after another was killed, and looks for what that has not told; until it is killed, too. */
const [state = '', folder = '', url = ''] = process.argv.slice(2)
const node = await messageNode({ state, folder, url: url || undefined }, () => void writeSync(1, 'told\n'))
await node.voicemail.lookForUntold()
setInterval(() => {}, 1_000)
