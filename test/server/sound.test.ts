import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { soundFolders } from '../../src/recording/sound-files.ts'
import { house, withToken } from './house.ts'

const id = 'abcdefghijklmnopqrstuv'
const sound = Buffer.from(Array.from({ length: 1_000 }, (_, at) => at % 251))

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-sound-'))
  mkdirSync(soundFolders(folder).recordings)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const pathOf = (extension: string) => join(soundFolders(folder).recordings, `${id}.${extension}`)

/** A gateway that knows one recording. */
function player(row: object | undefined = { id, deleted_at: null }) {
  const { server, store } = house({ sounds: soundFolders(folder) })
  store.ask = (async () => row) as typeof store.ask
  return (headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
    server.inject({ method, url: `/v1/recordings/${id}/audio`, headers: { ...withToken, ...headers } })
}

describe('the sound of a recording', () => {
  it('is told whole, in parts, and as it is to a player that only looks', async () => {
    writeFileSync(pathOf('au'), sound)
    const ask = player()
    const whole = await ask()
    expect(whole.statusCode).toBe(200)
    expect(whole.headers).toMatchObject({
      ...{ 'content-type': 'audio/basic', 'content-length': '1000', 'accept-ranges': 'bytes' },
      'cache-control': 'no-store',
    })
    expect(whole.rawPayload.equals(sound)).toBe(true)
    const part = await ask({ range: 'bytes=200-299' })
    expect([part.statusCode, part.headers['content-range'], part.headers['content-length']]).toEqual([
      206,
      'bytes 200-299/1000',
      '100',
    ])
    expect(part.rawPayload.equals(sound.subarray(200, 300))).toBe(true)
    const looked = await ask({}, 'HEAD')
    expect([looked.statusCode, looked.headers['content-length'], looked.rawPayload.length]).toEqual([200, '1000', 0])
    expect(looked.headers.etag).toBe(whole.headers.etag)
    const nothing = await ask({ range: 'bytes=1000-' })
    expect([nothing.statusCode, nothing.headers['content-range']]).toEqual([416, 'bytes */1000'])
    expect(nothing.json().detail).toContain('1000 bytes')
  })

  it('goes on only in the file that the player has begun', async () => {
    writeFileSync(pathOf('au'), sound)
    const ask = player()
    const etag = String((await ask()).headers.etag)
    expect((await ask({ range: 'bytes=5-', 'if-range': etag })).statusCode).toBe(206)
    appendFileSync(pathOf('au'), sound)
    const grown = await ask({ range: 'bytes=5-', 'if-range': etag })
    expect([grown.statusCode, grown.rawPayload.length]).toEqual([200, 2_000])
  })

  it('is told as it was made for players, once it was', async () => {
    writeFileSync(pathOf('au'), sound)
    writeFileSync(pathOf('opus'), '')
    const answer = await player()()
    expect([answer.statusCode, answer.headers['content-type'], answer.body]).toEqual([200, 'audio/ogg', ''])
  })

  it('is nowhere when it is not known, was deleted, or is on another machine', async () => {
    rmSync(pathOf('au'), { force: true })
    rmSync(pathOf('opus'), { force: true })
    const statuses = [player(), player({ id, deleted_at: new Date(0) })].map(async ask => (await ask()).statusCode)
    expect(await Promise.all(statuses)).toEqual([404, 410])
    const { server } = house({ sounds: soundFolders(folder) })
    const unknown = await server.inject({ url: `/v1/recordings/${'..%2F'.repeat(3)}/audio`, headers: withToken })
    expect(unknown.statusCode).toBe(404)
  })
})
