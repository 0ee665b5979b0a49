import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ConvertParts, convert } from '../../../src/desk/jobs/convert.ts'
import { NotYet, OfAnother } from '../../../src/desk/working.ts'
import { soundFolders } from '../../../src/recording/sound-files.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-convert-job-'))
  const { recordings, voicemail } = soundFolders(folder)
  for (const each of [recordings, voicemail]) mkdirSync(each)
})
afterEach(() => rmSync(folder, { recursive: true }))

function desk(standing: Partial<Awaited<ReturnType<ConvertParts['standing']>>>, talking = false) {
  const handler = convert({
    ...{ folders: soundFolders(folder), home: 'here', clock: new VirtualClock() },
    encoder: () => 'WebAssembly',
    convert: async () => expect.unreachable(),
    standing: async () => ({ deleted: false, converted: false, home: 'here', ...standing }),
    recordingsOf: async () => ['gone'],
    mayGoOn: () => talking,
    tell: () => expect.unreachable(),
    kept: async () => {},
  })
  return (attempts: number, subject: Record<string, string> = { call: 'c1', recording: 'gone' }) =>
    handler({ id: '1', kind: 'convert', key: 'gone', business: 'dentist', subject, attempts }, AbortSignal.abort())
}

it('a sound that is not there may be on its way out: it is looked for twice before a person is told', async () => {
  await expect(desk({})(1)).rejects.toMatchObject({ code: 'SOUND_UNREADABLE', retryable: true })
  await expect(desk({})(2)).rejects.toMatchObject({ code: 'SOUND_UNREADABLE', retryable: false })
  await desk({ deleted: true })(2)
  await desk({ converted: true })(1)
})

it('a sound of another gateway, or of a caller who may come back to it, is no attempt', async () => {
  await expect(desk({ home: 'there' })(1)).rejects.toBeInstanceOf(OfAnother)
  await expect(desk({}, true)(1, { call: 'c1' })).rejects.toBeInstanceOf(NotYet)
})
