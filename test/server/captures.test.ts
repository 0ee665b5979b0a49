import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { auHeader } from '../../src/recording/au.ts'
import { captureFiles } from '../../src/recording/capture.ts'
import { FakeCall, house, withToken } from './house.ts'

const id = 'abcdefghijklmnopqrstuv'
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-captures-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function captured(of: string, beganAtMs: number): void {
  mkdirSync(join(folder, of))
  const note = { id: of, call: 'c1', business: 'dentist', beganAtMs }
  writeFileSync(join(folder, of, captureFiles.decoded), auHeader({ law: 'ulaw', channels: 1 }, note))
  for (const name of ['received', 'frames', 'sent'] as const) writeFileSync(join(folder, of, captureFiles[name]), name)
}

it('has a live call captured, for as long as was asked, within bounds', async () => {
  const { server, exchange, logged } = house({ captures: folder })
  const call = new FakeCall('c1')
  exchange.live.push(call)
  const ask = async (body: object) => {
    const answer = await server.inject({ method: 'POST', url: '/v1/calls/c1/capture', headers: withToken, body })
    return { status: answer.statusCode, body: answer.json() }
  }
  expect(await ask({ seconds: 30 })).toEqual({ status: 202, body: { id } })
  expect(logged.join()).toMatch(/captured by request of the operator/)
  const { seconds } = limits.recording.capture
  for (const wrong of [{}, { seconds: 0 }, { seconds: seconds + 1 }, { seconds: 1.5 }])
    expect((await ask(wrong)).status).toBe(400)
  expect(call.captured).toEqual([30])
  for (const why of ['noLine', 'goesOn', 'tooMany'] as const) {
    call.captureAnswer = why
    expect(await ask({ seconds: 1 })).toMatchObject({
      status: 409,
      body: { detail: expect.stringMatching(/captured/) },
    })
  }
})

it('lists what there is, the newest first, hands out each file, and removes it', async () => {
  const other = id.toUpperCase()
  captured(id, Date.UTC(2026, 0, 5))
  captured(other, Date.UTC(2026, 0, 6))
  const { server } = house({ captures: folder })
  const get = (path: string) => server.inject({ url: path, headers: withToken })
  const list = async () => (await get('/v1/captures')).json().captures
  expect((await list()).map((each: { id: string }) => each.id)).toEqual([other, id])
  expect((await list())[1]).toEqual({
    ...{ id, call: 'c1', business: 'dentist', beganAt: '2026-01-05T00:00:00.000Z' },
    files: { received: 8, decoded: 512, frames: 6, sent: 4 },
  })
  const types = { received: 'application/octet-stream', frames: 'text/csv', sent: 'application/octet-stream' }
  for (const [name, type] of Object.entries(types)) {
    const { body, headers } = await get(`/v1/captures/${id}/${name}`)
    expect([body, headers['content-type']]).toEqual([name, expect.stringContaining(type)])
  }
  expect((await get(`/v1/captures/${id}/decoded`)).rawPayload).toHaveLength(512)
  expect((await get(`/v1/captures/${id}/everything`)).statusCode).toBe(400)
  const remove = (of: string) => server.inject({ method: 'DELETE', url: `/v1/captures/${of}`, headers: withToken })
  expect([(await remove(id)).statusCode, (await remove(id)).statusCode]).toEqual([200, 404])
  expect((await get(`/v1/captures/${id}/sent`)).statusCode).toBe(404)
  expect((await get('/v1/captures/..%2F..%2Fetc/sent')).statusCode).toBe(404)
  expect(await list()).toHaveLength(1)
})
