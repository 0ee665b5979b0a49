import { expect, it } from 'vitest'
import { house, withToken } from './house.ts'

const row = {
  ...{ id: 'r1', call: 'c1', business: 'dentist', ended_why: 'callEnded', deleted_at: null, recording: 'v1' },
  home: 'here',
}

async function deleteOf(path: string, found: object | undefined, headers: Record<string, string> = withToken) {
  const { server, store, deleted, asked } = house()
  store.ask = (async () => found) as typeof store.ask
  const { statusCode } = await server.inject({ method: 'DELETE', url: path, headers })
  return [statusCode, deleted, asked.map(({ key, subject, afterMs }) => [key, subject['at'], afterMs !== undefined])]
}

it('deletes a recording that is over, and a voicemail, once; a job ends what is cut off', async () => {
  expect(await deleteOf('/v1/recordings/r1', row)).toEqual([200, ['r1 by operator'], [['recording r1', 'here', true]]])
  expect(await deleteOf('/v1/voicemails/7', row)).toEqual([200, ['v1 by operator'], [['voicemail v1', 'here', true]]])
  expect(await deleteOf('/v1/recordings/r1', { ...row, deleted_at: new Date(0) })).toEqual([200, [], []])
  expect(await deleteOf('/v1/voicemails/7', { ...row, deleted_at: new Date(0) })).toEqual([200, [], []])
})

it('tells by whose token it was asked for', async () => {
  // Of the store every question finds the same row here: that of the token among them.
  const token = { id: 't1', name: 'desk', created_at: new Date(0), last_used_at: null, revoked_at: null }
  const headers = { authorization: `Bearer parley_${'a'.repeat(43)}` }
  const [status, deleted] = await deleteOf('/v1/recordings/r1', { ...row, ...token }, headers)
  expect([status, deleted]).toEqual([200, ['r1 by business']])
})

it('leaves it to the gateway whose disk has it', async () => {
  const found = { ...row, home: 'elsewhere' }
  expect(await deleteOf('/v1/recordings/r1', found)).toEqual([202, [], [['recording r1', 'elsewhere', false]]])
  expect(await deleteOf('/v1/voicemails/7', found)).toEqual([202, [], [['voicemail v1', 'elsewhere', false]]])
})

it('deletes nothing that is still written, and nothing that is not there', async () => {
  expect(await deleteOf('/v1/recordings/r1', { ...row, ended_why: null })).toEqual([409, [], []])
  expect(await deleteOf('/v1/recordings/r1', undefined)).toEqual([404, [], []])
  expect(await deleteOf('/v1/voicemails/7', undefined)).toEqual([404, [], []])
  expect(await deleteOf('/v1/voicemails/not-a-number', row)).toEqual([404, [], []])
})
