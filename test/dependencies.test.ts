import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
const page = readFileSync(join(root, 'docs/decisions/dependencies.md'), 'utf8')

/** Of packages that are replaced beneath them. */
const keepers = ['ari-client', '@discordjs/opus', '@discordjs/node-pre-gyp']

function rowsOf(heading: string): string[][] {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const rows = section.split('\n').filter(line => line.startsWith('|'))
  return rows.slice(2).map(row =>
    row
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}

function installed(name: string): string {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
}

describe.each([
  ['Runtime', manifest.dependencies],
  ['Optional', manifest.optionalDependencies],
  ['Development', manifest.devDependencies],
] as [string, Record<string, string>][])('the table "%s"', (heading, declared) => {
  const rows = rowsOf(heading)

  it('lists exactly what package.json declares, at these exact versions', () => {
    expect(Object.fromEntries(rows.map(([name, version]) => [name, version]))).toEqual(declared)
  })

  it('gives a reason for each', () => {
    for (const [name, , reason] of rows) expect(reason, name).toMatch(/\w{3,}/)
  })

  it.each(rows.map(([name, version]) => [name ?? '', version ?? '']))('%s is installed as %s', (name, version) => {
    expect(installed(name)).toBe(version)
  })
})

describe('the lock file', () => {
  it('names no address that packages were fetched from', () => {
    expect(JSON.stringify(lock)).not.toContain('"resolved"')
  })

  it('holds the optional packages of every platform, or npm ci refuses it: node scripts/complete-lock.mjs', () => {
    const locked = Object.keys(lock.packages).map(path => path.split('node_modules/').at(-1))
    const optional = Object.values<{ optionalDependencies?: object }>(lock.packages).flatMap(each =>
      Object.keys(each.optionalDependencies ?? {}),
    )
    expect(optional.length).toBeGreaterThan(20)
    expect(optional.filter(name => !locked.includes(name))).toEqual([])
  })

  it('lets only the pinned runtime run an install script', () => {
    const scripted = Object.entries<{ hasInstallScript?: boolean }>(lock.packages).filter(
      ([, each]) => each.hasInstallScript,
    )
    expect(scripted.map(([path]) => path)).toEqual(['node_modules/@discordjs/opus', 'node_modules/node'])
    expect(manifest.allowScripts).toEqual({ node: true, '@discordjs/opus': false })
  })

  it('holds every override that the page lists, and none besides', () => {
    const overridden = JSON.stringify(manifest.overrides ?? {})
    for (const [name = ''] of rowsOf('Overrides')) expect(overridden).toContain(`"${name}"`)
    const names = [...overridden.matchAll(/"([^"]+)":/g)]
      .map(match => match[1])
      .filter(name => !keepers.includes(name ?? ''))
    for (const name of names) {
      // A version of its own beneath whoever brings it in would be the very one that is to be replaced.
      for (const keeper of keepers)
        expect(existsSync(join(root, 'node_modules', keeper, 'node_modules', name ?? ''))).toBe(false)
      expect(existsSync(join(root, 'node_modules', name ?? ''))).toBe(true)
    }
    expect(names.sort()).toEqual(
      rowsOf('Overrides')
        .map(([name]) => name)
        .sort(),
    )
  })
})
