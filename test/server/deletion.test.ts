import { expect, it } from 'vitest'
import { house, withToken } from './house.ts'

const row = { id: 'r1', call: 'c1', business: 'dentist', ended_why: 'callEnded', deleted_at: null, recording: 'v1' }

async function deleteOf(path: string, found: object | undefined) {
  const { server, store, deleted } = house()
  store.ask = (async () => found) as typeof store.ask
  const { statusCode } = await server.inject({ method: 'DELETE', url: path, headers: withToken })
  return [statusCode, deleted]
}

it('deletes a recording that is over, and a voicemail, once', async () => {
  expect(await deleteOf('/v1/recordings/r1', row)).toEqual([200, ['r1']])
  expect(await deleteOf('/v1/voicemails/7', row)).toEqual([200, ['v1']])
  expect(await deleteOf('/v1/recordings/r1', { ...row, deleted_at: new Date(0) })).toEqual([200, []])
  expect(await deleteOf('/v1/voicemails/7', { ...row, deleted_at: new Date(0) })).toEqual([200, []])
})

it('deletes nothing that is still written, and nothing that is not there', async () => {
  expect(await deleteOf('/v1/recordings/r1', { ...row, ended_why: null })).toEqual([409, []])
  expect(await deleteOf('/v1/recordings/r1', undefined)).toEqual([404, []])
  expect(await deleteOf('/v1/voicemails/7', undefined)).toEqual([404, []])
  expect(await deleteOf('/v1/voicemails/not-a-number', row)).toEqual([404, []])
})
