import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { segments } from '../../../src/caller/tones.ts'
import { cacheDirectory, testProgram } from '../../support/asterisk.ts'
import { type Pbx, startPbx } from '../../support/pbx.ts'
import { greeted, greetingHz, House } from './house.ts'

let pbx: Pbx
let withoutMusic: string
beforeAll(async () => {
  pbx = await startPbx()
  withoutMusic = await mkdtemp(join(tmpdir(), 'parley-linked-asterisk-'))
  await linkWithoutMusic(cacheDirectory, withoutMusic)
})
afterAll(async () => {
  await pbx[Symbol.asyncDispose]()
  await rm(withoutMusic, { recursive: true, force: true })
})

/** The fetched Asterisk under another name: the way down to its music is made anew, and everything else is linked. */
async function linkWithoutMusic(from: string, to: string): Promise<void> {
  const { dataDirectory } = await testProgram()
  let folder = ''
  for (const next of [...relative(from, dataDirectory).split('/'), 'moh']) {
    await mkdir(join(to, folder), { recursive: true })
    for (const name of await readdir(join(from, folder))) {
      if (name !== next) await symlink(join(from, folder, name), join(to, folder, name))
    }
    folder = join(folder, next)
  }
}

it('rings for a caller who waits where a business wants music and there is none, and says so', async () => {
  await using house = await House.open({
    environment: { ASTERISK_CACHE: withoutMusic },
    business: {
      destinations: [{ name: 'nobody', address: pbx.address('2003') }],
      transfers: { waiting: 'music' },
    },
  })
  await house.until(async () => house.log.some(line => line.includes('it rings for them instead')))
  const call = await greeted(await house.dial())
  const [live] = await house.liveCalls()
  const sinceMs = call.heardMs
  await house.post(`/v1/calls/${live!.id}/transfer`, { destination: 'nobody' })
  await house.eventually('transferRang')
  const rings = () =>
    segments(call.heard(sinceMs), [greetingHz]).some(
      ({ sound, fromMs, toMs }) => sound === 'other' && toMs - fromMs > 500,
    )
  await house.until(async () => rings())
  await call.hangup()
  await Promise.all([house.isEmpty(), pbx.idle()])
  expect((await house.events()).map(({ fact }) => fact.name)).not.toContain('degraded')
})
