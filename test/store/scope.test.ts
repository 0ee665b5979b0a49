import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** Moves a whole database, for who owns it. */
const whole = 'src/store/transfer.ts'

it('is asked for by every query of the store', () => {
  const queries = globSync('src/store/*.ts', { cwd: root, exclude: [whole] }).flatMap(path => {
    const text = readFileSync(join(root, path), 'utf8')
    const found = text.matchAll(/^export (?:async )?function\*? (\w+)(?:<[^>]*>)?\(([^)]*)\)/gm)
    return [...found].map(([, name = '', parameters = '']) => ({ name: `${path}: ${name}`, parameters }))
  })
  const asking = queries.filter(({ parameters }) => /: Kysely<Tables>/.test(parameters))
  expect(asking.length).toBeGreaterThan(4)
  const scoped = /^\s*db: Kysely<Tables>,\s*scope: StoreScope\b/
  expect(asking.filter(({ parameters }) => !scoped.test(parameters)).map(({ name }) => name)).toEqual([])
})
