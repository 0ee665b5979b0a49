import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { openDatabase } from '../../src/store/database.ts'
import { PostgresServer } from '../support/postgres.ts'
import { compiledFolder, compiledModules } from '../support/tied.ts'

/** Of a database server that all houses of a run share, each with a database of its own. */
export const sharedServer = 'PARLEY_TEST_DATABASE'

/** What all files of a run have in common. */
export default async function serve(): Promise<() => Promise<void>> {
  const [endServer, forget] = await Promise.all([shareServer(), compileOnce()])
  return async () => {
    await Promise.all([endServer(), forget()])
  }
}

/** The embedded database costs each gateway a second of processor time at its start: most tests are about something else. */
async function shareServer(): Promise<() => Promise<void>> {
  // Nobody asks what the disk would keep of it.
  const server = await PostgresServer.start(['shared_buffers=64MB', 'max_connections=300', 'fsync=off'])
  const template = await openDatabase({ url: server.url.replace('/postgres?', '/template1?'), folder: '' })
  await template.close()
  process.env[sharedServer] = server.url
  return () => server[Symbol.asyncDispose]()
}

/** Modules cost each program more to be compiled than all that it does in a test. */
async function compileOnce(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-compiled-'))
  process.env[compiledFolder] = folder
  const gateway = pathToFileURL(join(import.meta.dirname, '../../src/gateway.ts')).href
  const program = `await import(${JSON.stringify(gateway)}); process.exit()`
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, ...compiledModules() },
  })
  return () => rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
