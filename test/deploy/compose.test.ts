import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { limits } from '../../src/limits.ts'
import { knownVariables } from './names.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const text = read('docker-compose.yml')

interface Service {
  readonly image: string
  readonly user: string
  readonly command?: readonly string[]
  readonly network_mode: string
  readonly read_only: boolean
  readonly cap_drop: readonly string[]
  readonly cap_add?: unknown
  readonly privileged?: unknown
  readonly ports?: unknown
  readonly security_opt: readonly string[]
  readonly ulimits: { readonly nofile: { readonly soft: number; readonly hard: number } }
  readonly logging: { readonly driver: string; readonly options: Readonly<Record<string, string>> }
  readonly environment?: Readonly<Record<string, string>>
  readonly env_file?: readonly { readonly path: string; readonly required: boolean }[]
  readonly volumes: readonly string[]
  readonly restart: string
  readonly stop_grace_period?: string
  readonly healthcheck?: { readonly test: readonly string[]; readonly interval: string; readonly retries: number }
  readonly mem_limit: string
  readonly pids_limit: number
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly restart?: boolean }>>
}

const { services, volumes } = parse(text, { merge: true }) as {
  services: Record<'configuration' | 'asterisk' | 'database' | 'gateway', Service>
  volumes: Record<string, unknown>
}
const { configuration, asterisk, database, gateway } = services
const all = Object.entries(services)
const lasting = [asterisk, database, gateway]

function seconds(duration: string | undefined): number {
  expect(duration).toMatch(/^\d+s$/)
  return Number.parseInt(duration ?? '', 10)
}

describe('docker-compose.yml', () => {
  it('has a service that renders, then Asterisk and a database, then the gateway', () => {
    expect(Object.keys(services)).toEqual(['configuration', 'asterisk', 'database', 'gateway'])
    expect(asterisk.depends_on).toEqual({
      configuration: { condition: 'service_completed_successfully', restart: true },
    })
    expect(gateway.depends_on).toEqual({
      asterisk: { condition: 'service_healthy' },
      database: { condition: 'service_started' },
    })
  })

  it.each(all)('confines %s', (_, service) => {
    expect(service.read_only).toBe(true)
    expect(service.cap_drop).toEqual(['ALL'])
    expect(service.security_opt).toEqual(['no-new-privileges:true'])
    expect(service.user).toMatch(/^506[012]:506[012]$/)
    expect([service.cap_add, service.privileged]).toEqual([undefined, undefined])
  })

  it('runs Asterisk, the gateway and the database as users of their own', () => {
    expect([asterisk.user, gateway.user, database.user]).toEqual(['5060:5060', '5061:5061', '5062:5062'])
  })

  it.each(all)('bounds %s', (_, service) => {
    expect(service.mem_limit).toMatch(/^\d+[mg]$/)
    expect(service.pids_limit).toBeLessThanOrEqual(4_096)
    // Far higher limits make Asterisk slow to start.
    expect(service.ulimits.nofile.hard).toBeLessThanOrEqual(20_000)
    expect(service.ulimits.nofile.soft).toBe(service.ulimits.nofile.hard)
    expect(service.logging).toEqual({ driver: 'json-file', options: { 'max-size': '10m', 'max-file': '5' } })
  })

  it("uses the machine's network, for the database none, and publishes no port", () => {
    for (const [name, service] of all)
      expect([service.network_mode, service.ports]).toEqual([name === 'database' ? 'none' : 'host', undefined])
  })

  it('keeps every call in the database, which only the gateway reaches, by a socket and without a password', () => {
    expect(gateway.environment?.['DATABASE_URL']).toBe(
      '${DATABASE_URL:-postgresql://parley@localhost/parley?host=/run/parley-database}',
    )
    expect(gateway.volumes).toContain('database-socket:/run/parley-database:ro')
    const [start, image] = ['start.sh', 'Dockerfile'].map(file => read(`deploy/postgres/${file}`))
    expect(start).toMatch(/--auth-local peer --auth-host reject/)
    expect(start).toMatch(/ -c listen_addresses= /)
    expect(image).toContain(`parley:x:${gateway.user}:`)
    expect(image).toMatch(/ postgresql-18 /)
    for (const service of [configuration, asterisk]) expect(service.volumes.join()).not.toContain('database')
  })

  it('keeps HTTP and ARI on loopback, whatever .env says', () => {
    expect(gateway.environment).toMatchObject({ HTTP_HOST: '127.0.0.1', ARI_URL: '', ASTERISK: 'external' })
    expect(read('asterisk/http.conf')).toContain('\nbindaddr = 127.0.0.1\n')
  })

  it('brings both back, watches both, and stops the gateway when its calls are over', () => {
    for (const service of lasting) {
      expect(service.restart).toBe('always')
      expect(seconds(service.healthcheck?.interval)).toBeLessThanOrEqual(10)
    }
    expect(gateway.healthcheck?.test.join(' ')).toContain('/readyz')
    const drain = (limits.call.drainMs + limits.asterisk.stopMs) / 1_000
    expect(seconds(gateway.stop_grace_period)).toBeGreaterThan(drain)
    expect(configuration.restart).toBe('no')
  })

  it('has no secret in it, and shows .env to the gateway alone', () => {
    expect(text).not.toMatch(/(PASSWORD|TOKEN|SECRET|_KEY)\w*\s*[:=]/)
    expect(gateway.env_file).toEqual([{ path: '.env', required: false }])
    for (const service of [asterisk, database])
      expect([service.env_file, service.environment]).toEqual([undefined, undefined])
    expect(asterisk.volumes).toEqual(['asterisk:/var/lib/parley-asterisk'])
    expect(Object.keys(volumes)).toEqual(['state', 'database', 'database-socket', 'asterisk'])
  })

  it('names only variables that the configuration knows', () => {
    const interpolated = [...text.matchAll(/(?<!\$)\$\{(\w+)/g)].map(match => match[1] ?? '')
    const set = all.flatMap(([, service]) => Object.keys(service.environment ?? {}))
    const inScripts = [...text.matchAll(/process\.env\.(\w+)/g)].map(match => match[1] ?? '')
    const known = knownVariables()
    expect([...interpolated, ...set, ...inScripts].filter(name => !known.has(name))).toEqual([])
    expect(interpolated).toContain('BUSINESS_FILE')
  })

  it('reads every path it names as the images lay them', () => {
    expect(read('Dockerfile')).toContain('-o 5061 -g 5060 -m 770 /var/lib/parley-asterisk')
    expect(read('asterisk/Dockerfile')).toContain('/var/lib/parley-asterisk/etc/asterisk.conf')
    expect(configuration.command?.slice(-1)).toEqual(['/var/lib/parley-asterisk'])
    expect(configuration.volumes).toEqual(expect.arrayContaining(['asterisk:/var/lib/parley-asterisk']))
  })
})

describe('the images', () => {
  it.each(['Dockerfile', 'asterisk/Dockerfile', 'deploy/postgres/Dockerfile'])(
    '%s begins at debian:forky-slim and ends at an ordinary user',
    file => {
      const bases = [...read(file).matchAll(/^FROM (\S+)/gm)].map(match => match[1])
      expect(new Set(bases)).toEqual(new Set(['debian:forky-slim']))
      expect(read(file)).toMatch(/^USER 506[012]:506[012]$/m)
    },
  )

  it('are made of what is listed, so that no secret of the folder gets in', () => {
    const listed = read('.dockerignore')
      .split('\n')
      .filter(line => line && !line.startsWith('#'))
    expect(listed[0]).toBe('*')
    expect(listed.slice(1).every(line => line.startsWith('!'))).toBe(true)
    expect(listed.join()).not.toMatch(/\.env|\.parley|\.git|node_modules/)
  })

  it('run the gateway as scripts/parley.mjs does', () => {
    const flags = /--max-semi-space-size=\d+/.exec(read('scripts/parley.mjs'))?.[0] ?? 'none'
    expect(read('Dockerfile')).toContain(`CMD ["node", "${flags}", "src/main.ts"]`)
    const [, threads] = /UV_THREADPOOL_SIZE: '(\d+)'/.exec(read('scripts/parley.mjs')) ?? []
    expect(read('Dockerfile')).toContain(` UV_THREADPOOL_SIZE=${threads}\n`)
  })
})

describe('the TLS proxy', () => {
  it('leads to the API on loopback', () => {
    const proxied = [...read('deploy/Caddyfile').matchAll(/reverse_proxy (\S+)/g)].map(match => match[1])
    expect(proxied).toEqual(['127.0.0.1:{$HTTP_PORT:3000}'])
  })
})
