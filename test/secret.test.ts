import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apiTokenSecret, ariPasswordSecret, foreignAriPassword, keptSecret, storedSecret } from '../src/secret.ts'

const apiToken = (directory: string, configured?: string) => keptSecret(directory, apiTokenSecret, configured)
const storedToken = (directory: string) => storedSecret(directory, apiTokenSecret)

let above: string
let stateDir: string
let path: string

beforeEach(async () => {
  above = await mkdtemp(join(tmpdir(), 'parley-token-'))
  stateDir = join(above, 'state')
  path = join(stateDir, 'api-token')
})
afterEach(() => rm(above, { recursive: true, force: true }))

const modeOf = async (file: string) => (await stat(file)).mode & 0o777

describe('a kept secret', () => {
  it('is the configured one, and then nothing is written', async () => {
    expect(await apiToken(stateDir, 'a-configured-token')).toBe('a-configured-token')
    expect(await readdir(above)).toEqual([])
  })

  it('is made at the first start, readable by its owner only, and kept', async () => {
    const token = await apiToken(stateDir)
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await readFile(path, 'utf8')).toBe(`${token}\n`)
    expect(await modeOf(path)).toBe(0o600)
    expect(await modeOf(stateDir)).toBe(0o700)
    expect(await readdir(stateDir)).toEqual(['api-token'])
    expect(await apiToken(stateDir)).toBe(token)
    expect(await storedToken(stateDir)).toBe(token)
  })

  it('is never the same twice', async () => {
    expect(await apiToken(join(above, 'one'))).not.toBe(await apiToken(join(above, 'other')))
  })

  it('is one, of many first starts at once', async () => {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => apiToken(stateDir)))
    expect(new Set(tokens)).toEqual(new Set([(await readFile(path, 'utf8')).trim()]))
    expect(await readdir(stateDir)).toEqual(['api-token'])
  })

  it('is not there before the first start', async () => {
    expect(await storedToken(stateDir)).toBeUndefined()
  })

  it('is closed to others when its file was open to them', async () => {
    await apiToken(stateDir)
    await chmod(path, 0o644)
    const token = await storedToken(stateDir)
    expect(token).toMatch(/^.{43}$/)
    expect(await modeOf(path)).toBe(0o600)
  })

  for (const [name, content] of [
    ['nothing', ''],
    ['too little', 'short\n'],
    ['what no header can carry', 'a token of several words\n'],
  ] as const) {
    it(`is refused in words when its file holds ${name}`, async () => {
      await mkdir(stateDir)
      await writeFile(path, content, { mode: 0o600 })
      await expect(apiToken(stateDir)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: `${path} holds no usable secret. Remove it and a new one is made.`,
      })
    })
  }

  it('is not read through a link, nor from a folder', async () => {
    await mkdir(join(stateDir, 'elsewhere'), { recursive: true })
    await writeFile(join(above, 'target'), 'a-token-somewhere-else')
    await symlink(join(above, 'target'), path)
    await expect(apiToken(stateDir)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: /not a link/ })
    await rm(path)
    await mkdir(path)
    await expect(apiToken(stateDir)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: /must be a file/ })
  })

  it('says what to do when STATE_DIR cannot be written', async () => {
    await writeFile(join(above, 'in-the-way'), '')
    const refused = apiToken(join(above, 'in-the-way', 'state'))
    await expect(refused).rejects.toMatchObject({
      code: 'STATE_UNWRITABLE',
      message: expect.stringMatching(/Make STATE_DIR a folder that this user may write to/),
    })
  })
})

describe("the ARI password of somebody else's Asterisk", () => {
  it('is the configured one, else the one its configuration was rendered with', async () => {
    expect(await foreignAriPassword(stateDir, 'a-configured-one')).toBe('a-configured-one')
    const made = await keptSecret(stateDir, ariPasswordSecret)
    expect(await foreignAriPassword(stateDir)).toBe(made)
  })

  it('is never made up', async () => {
    await expect(foreignAriPassword(stateDir)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('ARI_PASSWORD must be set'),
    })
    expect(await readdir(above)).toEqual([])
  })
})
