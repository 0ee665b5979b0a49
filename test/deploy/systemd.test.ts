import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { knownVariables } from './names.ts'

const root = join(import.meta.dirname, '../..')
const unit = readFileSync(join(root, 'deploy/systemd/parley.service'), 'utf8')

/** All values of a setting, in their order. */
function values(name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(match => match[1] ?? '')
}

const value = (name: string) => values(name).at(-1)

describe('parley.service', () => {
  it('runs as a user of its own, with a state folder that is closed to others', () => {
    expect([value('User'), value('StateDirectory'), value('StateDirectoryMode')]).toEqual(['parley', 'parley', '0700'])
    expect(value('Environment')).toContain('STATE_DIR=/var/lib/parley ')
  })

  it('is confined', () => {
    const wanted = {
      CapabilityBoundingSet: '',
      NoNewPrivileges: 'yes',
      ProtectSystem: 'strict',
      ProtectHome: 'yes',
      PrivateTmp: 'yes',
      PrivateDevices: 'yes',
      RestrictAddressFamilies: 'AF_INET AF_INET6 AF_UNIX AF_NETLINK',
      RestrictNamespaces: 'yes',
      UMask: '0077',
    }
    for (const [name, wish] of Object.entries(wanted)) expect([name, value(name)]).toEqual([name, wish])
  })

  it('is bounded', () => {
    expect(value('MemoryMax')).toMatch(/^\d+G$/)
    expect(Number(value('TasksMax'))).toBeLessThanOrEqual(4_096)
    expect(Number(value('LimitNOFILE'))).toBeLessThanOrEqual(20_000)
  })

  it('lets the thread that carries the sound go ahead of all others', () => {
    expect(value('LimitNICE')).toBe('-20')
  })

  it('comes back within the lease, for ever, and leaves a crashed gateway’s Asterisk to its callers', () => {
    expect([value('Restart'), value('StartLimitIntervalSec'), value('KillMode')]).toEqual(['always', '0', 'process'])
    expect(Number(value('RestartSec')) * 1_000).toBeLessThan(limits.call.leaseMs / 2)
  })

  it('has time to let the calls finish and to end Asterisk', () => {
    const stopMs = Number(value('TimeoutStopSec')) * 1_000
    expect(stopMs).toBeGreaterThan(limits.call.drainMs + limits.asterisk.stopMs)
  })

  it('lets nobody in as the trunk, and takes its settings and secrets from a file that may be missing', () => {
    expect(value('Environment')).toContain('SIP_ALLOW=none')
    expect(values('EnvironmentFile')).toEqual(['-/etc/parley/parley.env'])
    expect(unit).not.toMatch(/(PASSWORD|TOKEN|SECRET|_KEY)=/)
  })

  it('names only variables that the configuration knows', () => {
    const names = values('Environment').flatMap(line => line.split(' ').map(pair => pair.split('=')[0] ?? ''))
    const known = knownVariables()
    expect(names.filter(name => !known.has(name) && !['LANG', 'UV_THREADPOOL_SIZE'].includes(name))).toEqual([])
  })

  it('runs the gateway as scripts/parley.mjs does', () => {
    const flags = /--max-semi-space-size=\d+/.exec(readFileSync(join(root, 'scripts/parley.mjs'), 'utf8'))?.[0]
    expect(value('ExecStart')).toBe(`/opt/parley/node_modules/node/bin/node ${flags} src/main.ts`)
    expect(value('Environment')).toContain('UV_THREADPOOL_SIZE=16')
  })
})
