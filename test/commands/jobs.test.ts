import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const moment = '2026-01-05T09:00:00.000Z'
const job = (id: string) => ({
  ...{ id, kind: 'notify', key: id, business: 'dentist', subject: {}, state: 'failed', attempts: 1, why: 'no mail' },
  ...{ wantedAt: moment, nextAt: moment, endedAt: moment },
})

it('has all that have failed begun anew, however many pages they fill, and goes on where one is begun already', async () => {
  const retried: string[] = []
  const pages: Record<string, object> = {
    none: { jobs: [job('a'), job('b')], next: 'more' },
    more: { jobs: [job('c')], next: null },
  }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://gateway')
    const json = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body))
    const [, id] = /^\/v1\/jobs\/(.+)\/retry$/.exec(pathname) ?? []
    if (id === undefined) return json(200, pages[searchParams.get('cursor') ?? 'none'])
    retried.push(id)
    return id === 'a' ? json(409, { detail: 'It has not failed.' }) : json(200, job(id))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const program = join(import.meta.dirname, '../../src/commands/jobs.ts')
  const env = {
    PATH: process.env['PATH'],
    HTTP_PORT: String((server.address() as AddressInfo).port),
    API_TOKEN: 'token-of-the-operator',
  }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, 'retry', 'all'], { env })
  expect(retried).toEqual(['a', 'b', 'c'])
  expect([stdout.trim().split('\n').length, stderr]).toEqual([2, 'a: It has not failed.\n'])
})
