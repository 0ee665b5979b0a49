import { openDatabase } from '../../src/store/database.ts'
import { PostgresServer } from '../support/postgres.ts'

/** Of a database server that all houses of a run share, each with a database of its own. */
export const sharedServer = 'PARLEY_TEST_DATABASE'

/** The embedded database costs each gateway a second of processor time at its start: most tests are about something else. */
export default async function serve(): Promise<() => Promise<void>> {
  // Nobody asks what the disk would keep of it.
  const server = await PostgresServer.start(['shared_buffers=64MB', 'max_connections=300', 'fsync=off'])
  const template = await openDatabase({ url: server.url.replace('/postgres?', '/template1?'), folder: '' })
  await template.close()
  process.env[sharedServer] = server.url
  return () => server[Symbol.asyncDispose]()
}
