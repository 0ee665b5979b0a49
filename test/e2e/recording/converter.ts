import { join } from 'node:path'
import { systemClock } from '../../../src/clock.ts'
import { convert } from '../../../src/desk/jobs/convert.ts'
import { convertAside } from '../../../src/recording/converter.ts'

/** Converts one recording as a job does, until it is killed: says where it is, and goes no further than where it is to be killed. */
const [folder = '', recording = '', end = ''] = process.argv.slice(2)
/** Until it is killed. */
const never = () => new Promise<never>(() => systemClock.after(3_600_000, () => {}))

function reached(stage: string): Promise<void> {
  process.stdout.write(`${stage}\n`)
  return stage === end ? never() : Promise.resolve()
}

const job = convert({
  folders: { recordings: folder, voicemail: join(folder, 'none') },
  encoder: () => 'WebAssembly',
  async convert(conversion, signal) {
    await reached('begins')
    const bytes = await convertAside(conversion, signal)
    await reached('renamed')
    return bytes
  },
  home: 'here',
  standing: async () => ({ deleted: false, converted: false, home: 'here' }),
  recordingsOf: async () => [],
  mayGoOn: () => false,
  tell: ({ fact }) => void process.stdout.write(`${JSON.stringify(fact)}\n`),
  kept: () => reached('told'),
  clock: systemClock,
})
const key = { key: recording, business: 'dentist', id: 'j1', attempts: 1 }
await job({ kind: 'convert', ...key, subject: { call: 'c1', recording } }, new AbortController().signal)
await reached('done')
