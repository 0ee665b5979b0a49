import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { systemClock } from '../../../src/clock.ts'
import { FRAME_SAMPLES } from '../../../src/media/audio.ts'
import { openPlane } from '../../../src/plane/open-plane.ts'
import { recordingThread } from '../../../src/recording/open-recorder.ts'
import { Recorders } from '../../../src/recording/recorder.ts'

/** Records one call with both threads as a gateway has them, until it is killed or told to end by a line: says where it is. */
const [folder = '', recording = ''] = process.argv.slice(2)
const say = (text: string) => void process.stdout.write(`${text}\n`)
const trouble = (text: string) => say(`trouble ${text}`)

const plane = openPlane({ forbiddenPorts: { start: 10_000, end: 10_100 }, onTrouble: trouble })
const recorders = new Recorders({
  ...{ clock: systemClock, plane, connectKeeper: recordingThread, trouble },
  folders: { both: folder, caller: join(folder, 'none'), captures: join(folder, 'none') },
})
const far = createSocket('udp4')
far.bind(0, '127.0.0.1')
await once(far, 'listening')
const line = await plane.open('ulaw')
line.connect({ address: '127.0.0.1', port: far.address().port })
line.speak({ utterance: 1, audio: new Uint8Array(500 * FRAME_SAMPLES).fill(77), text: '', last: true })
const wanted = { id: recording, sides: 'both', beganAtMs: systemClock.wallMs(), mostMs: 60_000 } as const
const kept = recorders.of('c1', 'dentist').begin(line, wanted)
say(kept.again ? 'again' : 'begun')
await once(process.stdin, 'data')
const { seconds } = await kept.end('callEnded')
say(`ended ${seconds}`)
process.stdin.resume()
