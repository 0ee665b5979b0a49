import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { blockIn } from '../scripts/marked-block.ts'
import { judgeChoice } from '../src/business.ts'
import { hookEvents } from '../src/business-kept.ts'
import { systemClock } from '../src/clock.ts'
import { deliveriesWantedBy, toldOf } from '../src/desk/hooks.ts'
import { hookSender } from '../src/notifiers/hook.ts'
import { reachOf } from '../src/tools/reach.ts'
import { house, withToken } from './server/house.ts'
import { businessWith, eventOf, hook, newsFacts, offered, recordingEnded, storyOf } from './support/hooked.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const guide = read('docs/guides/recordings-and-jobs.md')
const blocksOf = (language: string) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block!)

interface Operation {
  readonly parameters: readonly { readonly name: string }[]
}

describe('the guide to recordings and jobs', () => {
  it('asks for nothing that the API does not have', async () => {
    const { server } = house()
    const document = (await server.inject({ url: '/openapi.json', headers: withToken })).json()
    const operations = new Map<string, Operation>()
    for (const [path, methods] of Object.entries(document.paths as Record<string, Record<string, Operation>>)) {
      for (const [method, operation] of Object.entries(methods))
        operations.set(`${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '*')}`, operation)
    }
    const inShell = blocksOf('sh')
      .flatMap(block => block.split('\n'))
      .flatMap(line => {
        const [, target, more = ''] = /ask ['"]?(\/v1\/[^\s'"]+)['"]?(.*)/.exec(line) ?? []
        const method = /--request (\w+)/.exec(more)?.[1] ?? (more.includes('--json') ? 'POST' : 'GET')
        return target === undefined ? [] : [{ method, target }]
      })
    const inWords = [...guide.matchAll(/`(?:ask '?|(?<method>[A-Z]+) )(?<target>\/v1\/[^`'\s]+)/g)].map(
      ({ groups }) => ({
        method: groups!['method'] ?? 'GET',
        target: groups!['target']!,
      }),
    )
    expect(inShell.length).toBeGreaterThan(15)
    expect(inWords.length).toBeGreaterThan(5)
    for (const { method, target } of [...inShell, ...inWords]) {
      const [path = '', query] = target.split('?')
      const route = `${method} ${path.replaceAll(/\/(\$|:)\w+/g, '/*')}`
      expect([...operations.keys()]).toContain(route)
      const known = operations.get(route)!.parameters.map(({ name }) => name)
      for (const name of new URLSearchParams(query).keys()) expect(known).toContain(name)
    }
  })

  it('names commands and pages that are there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    for (const [, name] of guide.matchAll(/npm run (\w+)/g)) expect(Object.keys(scripts)).toContain(name)
    const pages = globSync('{README.md,docs/*.md,docs/guides/*.md}', { cwd: root })
    const links = pages.flatMap(page =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map(([, to]) => join(root, dirname(page), to!)),
    )
    expect(links.length).toBeGreaterThan(10)
    expect(links.filter(path => globSync(path).length === 0)).toEqual([])
  })

  it('tells of each event what integrators are told', () => {
    const markers = {
      begin: '<!-- Checked against what is told by test/guides.test.ts -->',
      end: '<!-- The end of what is checked -->',
    }
    const rows = blockIn(guide, markers).split('\n').slice(2)
    const named = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name!).sort()
    const told = rows.map(row => {
      const [, type = '', open = '', hidden = ''] = row.split('|')
      return [type.trim().replaceAll('`', ''), named(open), named(hidden)]
    })
    expect(told).toEqual(
      hookEvents.map(type => {
        const fact = newsFacts[type]
        const all = { ...hook, private: true }
        const [job] = deliveriesWantedBy(eventOf(fact), businessWith(all))
        const sought = { delivery: job!.key, call: 'c1', business: 'dentist', hook: all }
        const { data } = JSON.parse(toldOf(sought, storyOf(offered, recordingEnded, fact))!.body)
        const { call: _, business: __, sequence: ___, private: hidden, ...open } = data
        return [type, Object.keys(open).sort(), Object.keys(hidden).sort()]
      }),
    )
  })
})

describe('the receiver in the guide', () => {
  const secret = 'a secret of this integrator'
  const folder = mkdtempSync(join(tmpdir(), 'parley-receiver-'))
  let receiver: ChildProcess
  let lines: AsyncIterator<string>
  let url = ''
  beforeAll(async () => {
    const markers = { begin: '<!-- Run by test/guides.test.ts -->', end: '<!-- The end of what is run -->' }
    const code = blockIn(guide, markers).split('\n').slice(1, -1).join('\n')
    writeFileSync(join(folder, 'receiver.mjs'), code)
    const env = { TOOL_CRM_SECRET: secret, PORT: '0' }
    receiver = spawn(process.execPath, [join(folder, 'receiver.mjs')], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    lines = createInterface({ input: receiver.stdout! })[Symbol.asyncIterator]()
    const [port] = /\d+/.exec((await lines.next()).value) ?? []
    url = `http://127.0.0.1:${port}/parley`
  })
  afterAll(async () => {
    const gone = once(receiver, 'exit')
    receiver.kill()
    await gone
    rmSync(folder, { recursive: true })
  })

  const deliver = (value: string, body: string, wallMs = () => systemClock.wallMs()) => {
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
    const clock = { ...systemClock, wallMs }
    const send = hookSender({ clock, resolve, reach: reachOf(['127.0.0.1/32']), secrets: { TOOL_CRM: value } })
    return send({ id: `msg_${body.length}`, url, secret: 'TOOL_CRM', body }, new AbortController().signal)
  }

  it('takes what Parley has signed, once, also while the secret is changed', async () => {
    const [first, second] = ['{"type":"call.ended","data":{"name":"Zoë"}}', '{"type":"message.taken"}'] as const
    expect(await deliver(secret, first)).toEqual({ kind: 'taken', status: 204 })
    expect(await deliver(secret, first)).toEqual({ kind: 'taken', status: 204 })
    expect(await deliver(`the secret that comes after it, ${secret}`, second)).toEqual({ kind: 'taken', status: 204 })
    expect([(await lines.next()).value, (await lines.next()).value]).toEqual([first, second])
  })

  it('takes nothing of others, and nothing that is old or not signed', async () => {
    expect(await deliver('a secret of somebody else', '{}')).toMatchObject({ status: 401 })
    expect(await deliver(secret, '{}', () => systemClock.wallMs() - 301_000)).toMatchObject({ status: 401 })
    const asked = await fetch(url, { method: 'POST', body: '{}', headers: { 'webhook-signature': 'v1,é' } })
    expect(asked.status).toBe(401)
  })
})

describe('business.example.yaml', () => {
  const text = read('business.example.yaml')
  const defaults = {
    file: undefined,
    name: 'Parley',
    phone: undefined,
    ownerPhone: undefined,
    engine: 'local',
  } as const
  const judged = (chosen: object) => {
    const result = judgeChoice(
      { name: 'Parley', ...chosen },
      { ...defaults, environment: { TOOL_CRM_SECRET: 'x'.repeat(24) } },
    )
    if ('problems' in result) throw new Error(result.problems.join())
    return result.business
  }
  /** With what is commented out put in force. */
  const blockOf = (name: string) => {
    const [block = ''] = new RegExp(`^(# )?${name}:.*\\n(#? {2,}.*\\n)+`, 'm').exec(text) ?? []
    return parse(block.replaceAll(/^# /gm, '')) as Record<string, object>
  }

  it.each(['recording', 'voicemail', 'digests'] as const)('has every key of %s, as it is when it is left out', name => {
    expect(blockOf(name)[name]).toEqual(judged({})[name])
  })

  it('has every key of answers and of a hook', () => {
    for (const name of ['answers', 'hooks'] as const) {
      const chosen = blockOf(name)
      expect(judged(chosen)[name]).toEqual(chosen[name])
    }
  })
})

describe("the decision's table of files", () => {
  const [, table = ''] =
    /^\| file \| subject \|\n(.*?)\n\n/ms.exec(read('docs/decisions/0017-recordings-and-durable-work.md')) ?? []
  const named = table.split('\n').flatMap(row => {
    let folder = ''
    return [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => {
      if (name!.includes('/')) folder = dirname(name!)
      return name!.includes('/') ? name! : join(folder, name!)
    })
  })

  it('names files that are there, and all of those that are for recordings and jobs alone', () => {
    expect(named.filter(path => globSync(join(root, 'src', path)).length === 0)).toEqual([])
    const own = globSync('{recording,desk/jobs}/*.ts', { cwd: join(root, 'src') })
    const known = named.flatMap(path => globSync(path, { cwd: join(root, 'src') }))
    expect(own.filter(path => !known.includes(path))).toEqual([])
  })
})
