import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi } from '../../src/commands/api.ts'
import { frameOf, renderCalls, type Snapshot } from '../../src/commands/calls-view.ts'
import { apiTokenSecret, keptSecret, Secret } from '../../src/secret.ts'
import { type CallSummary, callList } from '../../src/server/schemas.ts'
import { callerNumber, FakeCall, house, token } from '../server/house.ts'

const call: CallSummary = {
  id: '1763690000.12',
  state: 'live',
  outcome: null,
  business: 'dentist',
  engine: 'scripted',
  codec: 'ulaw',
  offeredAt: '2026-01-05T09:00:00.000Z',
  answeredAt: '2026-01-05T09:00:00.040Z',
  endedAt: null,
  durationMs: 3_725_900,
  transferredTo: null,
  from: '…77',
  channels: { caller: '1763690000.12', media: '1763690000.13' },
  bridge: '2f9b2f6e-3c58-4f4e-9c57-0a1f0b6f3d11',
  ports: { gateway: 40_000, asterisk: 10_002 },
  quality: { lossPercent: 0.5, jitterMs: 1.23 },
  direction: 'inbound',
  carrier: null,
}
const snapshot: Snapshot = {
  calls: [call, { ...call, id: 'offered-1', state: 'offered', durationMs: 900, bridge: null, quality: null }],
  ended: 4,
  asterisk: {
    channels: [
      { id: '1763690000.12', name: 'PJSIP/trunk-00000001', state: 'Up', call: '1763690000.12' },
      { id: '1763690000.99', name: 'UnicastRTP/127.0.0.1:40008-0x7f3a0c012999', state: 'Up', call: 'orphan' },
    ],
    bridges: [
      {
        id: '2f9b2f6e-3c58-4f4e-9c57-0a1f0b6f3d11',
        technology: 'simple_bridge',
        channels: ['1763690000.12', '1763690000.13'],
        call: '1763690000.12',
      },
    ],
  },
}

describe('the table of calls', () => {
  it('shows whom a caller is to be connected with, or is', () => {
    for (const state of ['transferring', 'connected', 'live'] as const) {
      const told = renderCalls({ ...snapshot, calls: [{ ...call, state, transferredTo: 'reception' }] }, 120)[3]
      expect(told?.includes(`${state} (reception)`)).toBe(state !== 'live')
    }
  })

  it('shows calls, channels and bridges within 80 columns, orphans marked', () => {
    expect(renderCalls(snapshot, 80)).toEqual([
      '2 live calls, 4 ended, 2 channels, 1 bridge, 1 orphan',
      '',
      'CALL           FROM  STATE      SINCE  ENGINE    CODEC  LOSS  JITTER',
      '1763690000.12  …77   live     1:02:05  scripted  ulaw   0.5%  1.2 ms',
      '  channels 1763690000.12, 1763690000.13  bridge 2f9b2f6e-3c58-4f4e-9c57-0a1f0b6…',
      'offered-1      …77   offered    00:00  scripted  ulaw      -       -',
      '  channels 1763690000.12, 1763690000.13  bridge none',
      '',
      'CHANNEL        NAME                                       STATE  CALL',
      '1763690000.12  PJSIP/trunk-00000001                       Up     1763690000.12',
      '1763690000.99  UnicastRTP/127.0.0.1:40008-0x7f3a0c012999  Up     ORPHAN',
      '',
      'BRIDGE                    TECHNOLOGY     CHANNELS                  CALL',
      '2f9b2f6e-3c5…a1f0b6f3d11  simple_bridge  1763690000.1…63690000.13  1763690000.12',
    ])
  })

  it('shortens nothing where there is room', () => {
    const lines = renderCalls(snapshot, Number.POSITIVE_INFINITY).join('\n')
    expect(lines).toContain('bridge 2f9b2f6e-3c58-4f4e-9c57-0a1f0b6f3d11')
    expect(lines).toContain('1763690000.12 1763690000.13')
  })

  it('shows the whole number only when it was asked for', () => {
    const open = { ...snapshot, calls: [{ ...call, private: { callerNumber, parameters: {} } }] }
    expect(renderCalls(snapshot, 80).join('\n')).not.toContain(callerNumber)
    expect(renderCalls(open, 80)[3]).toContain(callerNumber)
  })

  it('says why Asterisk cannot be shown, and shows the calls all the same', () => {
    const lines = renderCalls({ ...snapshot, asterisk: 'Asterisk does not answer.' }, 80)
    expect(lines[0]).toBe('2 live calls, 4 ended')
    expect(lines.at(-1)).toBe("Asterisk's side cannot be shown: Asterisk does not answer.")
    expect(lines).toHaveLength(9)
  })

  it('never lets a text steer the terminal, and never exceeds its width', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 })
    fc.assert(
      fc.property(text, text, text, fc.integer({ min: 60, max: 200 }), (id, from, name, width) => {
        const lines = renderCalls(
          {
            calls: [{ ...call, id, private: { callerNumber: from, parameters: {} } }],
            ended: 0,
            asterisk: {
              channels: [{ id, name, state: name, call: id }],
              bridges: [{ id, technology: name, channels: [id], call: id }],
            },
          },
          width,
        )
        return lines.every(line => /^[\x20-\x7e…]*$/.test(line) && line.length <= width)
      }),
      { numRuns: 50, seed: 1 },
    )
  })
})

describe('a frame on the terminal', () => {
  it('is written over the last one', () => {
    expect(frameOf(['one', 'two'], 10)).toBe('\x1b[Hone\x1b[K\ntwo\x1b[K\x1b[J')
  })

  it('counts the lines that do not fit', () => {
    expect(frameOf(['one', 'two', 'three', 'four'], 3)).toBe(
      '\x1b[Hone\x1b[K\ntwo\x1b[K\n... 2 more lines: --once shows all\x1b[K\x1b[J',
    )
    expect(frameOf(['one', 'two', 'three'], 3)).toContain('three')
  })
})

describe('against a gateway', () => {
  const parts = house()
  let stateDir: string
  let port: number

  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'parley-calls-'))
    parts.exchange.live.push(new FakeCall('c1'))
    parts.inspection.channels = [{ id: 'left', name: 'PJSIP/x', state: 'Up', call: undefined }]
    await parts.server.listen({ host: '127.0.0.1', port: 0 })
    port = Number(new URL(parts.server.listeningOrigin).port)
  })
  afterAll(async () => {
    await parts.server.close()
    await rm(stateDir, { recursive: true, force: true })
  })

  const run = (flags: readonly string[], environment: Record<string, string> = {}) =>
    new Promise<{ code: number; stdout: string; stderr: string }>(resolve => {
      const env = { HTTP_PORT: String(port), STATE_DIR: stateDir, API_TOKEN: token, ...environment }
      const program = join(import.meta.dirname, '../../src/commands/calls.ts')
      const options = { env, cwd: stateDir }
      execFile(process.execPath, [program, ...flags], options, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      )
    })

  it('shows what is there once when its output is no terminal, as JSON when asked, and ends in words when it fails', async () => {
    const [table, json, refused] = await Promise.all([
      run([]),
      run(['--json', '--private']),
      run([], { API_TOKEN: 'not-the-token-it-has' }),
    ])
    expect([table.code, table.stderr]).toEqual([0, ''])
    expect(table.stdout).toMatch(/^1 live call, 0 ended, 1 channel, 0 bridges, 1 orphan\n/)
    expect(table.stdout).toMatch(/^c1 +…77 +live +01:01 +scripted +ulaw +1\.0% +1\.2 ms$/m)
    expect(table.stdout).toMatch(/^left +PJSIP\/x +Up +ORPHAN$/m)
    expect(table.stdout).not.toContain(callerNumber)
    expect(JSON.parse(json.stdout)).toMatchObject({
      calls: [{ id: 'c1', from: '…77', private: { callerNumber } }],
      ended: 0,
      asterisk: { channels: [{ id: 'left', call: 'orphan' }], bridges: [] },
    })
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toMatch(/^calls: Parley at .* refuses the token from API_TOKEN\. Use .*\n$/)
    expect(refused.stderr).not.toContain('not-the-token-it-has')
  })
})

describe('the way to the gateway', () => {
  const settings = (port: number, more: object = {}) => ({
    http: { host: '127.0.0.1', port },
    stateDir: '/nonexistent',
    apiToken: new Secret(token) as Secret | undefined,
    ...more,
  })
  const list = async (options: ReturnType<typeof settings>) => (await openApi(options)).get('/v1/calls', callList)

  async function listening<T>(answer: (path: string) => readonly [number, string], use: (port: number) => Promise<T>) {
    const server = createServer((request, response) => {
      const [status, body] = answer(request.url ?? '')
      response.writeHead(status, status === 302 ? { location: body } : {}).end(body)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    try {
      return await use((server.address() as AddressInfo).port)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  it('says that Parley is not running', async () => {
    const port = await listening(
      () => [200, ''],
      async port => port,
    )
    await expect(list(settings(port))).rejects.toThrow(/^Parley is not running at http:\/\/127\.0\.0\.1:\d+\. Start it/)
  })

  it('says that there is no token yet', async () => {
    await expect(openApi(settings(1, { apiToken: undefined }))).rejects.toThrow(
      /^There is no API token in \/nonexistent\/api-token: Parley has not been started with this STATE_DIR yet/,
    )
  })

  it('says when something else answers', async () => {
    for (const answer of [
      [200, '<html>'],
      [200, '{"calls":"none"}'],
      [500, 'oops'],
    ] as const) {
      await listening(
        () => answer,
        async port => expect(list(settings(port))).rejects.toThrow(/it is not this version of Parley/),
      )
    }
  })

  it('follows no redirection with the token', async () => {
    const asked: string[] = []
    await listening(
      path => {
        asked.push(path)
        return [302, '/elsewhere']
      },
      async port => expect(list(settings(port))).rejects.toThrow(/cannot be reached/),
    )
    expect(asked).toEqual(['/v1/calls'])
  })

  it('uses the token that the gateway keeps in STATE_DIR, and loopback when it listens everywhere', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'parley-api-'))
    try {
      const { server } = house({ token: await keptSecret(stateDir, apiTokenSecret) })
      await server.listen({ host: '0.0.0.0', port: 0 })
      const port = Number(new URL(server.listeningOrigin).port)
      const options = settings(port, { http: { host: '0.0.0.0', port }, apiToken: undefined, stateDir })
      expect((await openApi(options)).address).toBe(`http://127.0.0.1:${port}`)
      expect(await list(options)).toEqual({ calls: [], next: null, complete: true, totals: { live: 0, ended: 0 } })
      await server.close()
    } finally {
      await rm(stateDir, { recursive: true, force: true })
    }
  })

  it('writes IPv6 addresses as an address wants them', async () => {
    const at = async (host: string) => (await openApi(settings(3000, { http: { host, port: 3000 } }))).address
    expect([await at('::'), await at('fd00::1'), await at('gateway')]).toEqual([
      'http://[::1]:3000',
      'http://[fd00::1]:3000',
      'http://gateway:3000',
    ])
  })
})
