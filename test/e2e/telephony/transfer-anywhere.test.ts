import { afterAll, beforeAll, it } from 'vitest'
import { type Pbx, startPbx } from '../../support/pbx.ts'
import { seeded } from '../../support/random.ts'
import { kinds } from '../../telephony/whole-transfer.ts'
import type { Running } from './exchange.ts'
import { injured, injuries } from './transfer-anywhere.ts'
import { asteriskWith } from './transfer-scene.ts'

const all = process.env['PARLEY_SOAK'] === '1'
/** Of each kind and injury in the normal run, and of all of them at once. */
const SAMPLE = 3
const AT_ONCE = 5
const random = seeded(6)

let pbx: Pbx
let running: Running

beforeAll(async () => {
  pbx = await startPbx()
  running = await asteriskWith(pbx)
})

afterAll(async () => {
  await running[Symbol.asyncDispose]()
  await pbx[Symbol.asyncDispose]()
})

it.each(kinds)(
  'a transfer, %s, injured at any of its requests leaves nothing and loses nobody',
  async kind => {
    const requests = await injured(running, pbx, kind, undefined, [0])
    const every = Array.from({ length: requests }, (_, step) => step)
    for (const injury of injuries) {
      const steps = all ? every : Array.from({ length: SAMPLE }, () => Math.floor(random() * requests))
      for (let first = 0; first < steps.length; first += AT_ONCE) {
        await injured(running, pbx, kind, injury, steps.slice(first, first + AT_ONCE))
      }
    }
  },
  all ? 600_000 : undefined,
)
