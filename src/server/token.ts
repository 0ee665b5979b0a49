import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { asError, GatewayError } from '../errors.ts'

const TOKEN_BYTES = 32
const LEAST_CHARS = 16
const OTHERS = 0o077

/** The token of the HTTP API: the configured one, else the one kept in STATE_DIR, made at the first start. */
export async function apiToken(stateDir: string, configured?: string): Promise<string> {
  if (configured !== undefined) return configured
  return (await storedToken(stateDir)) ?? (await createToken(stateDir))
}

/** What an earlier start has left in STATE_DIR, if anything. Never readable by others than its owner afterwards. */
export async function storedToken(stateDir: string): Promise<string | undefined> {
  const path = pathIn(stateDir)
  const file = await openToken(path)
  if (!file) return undefined
  try {
    await closeToOthers(file, path)
    const token = (await file.readFile('utf8')).trim()
    if (token.length >= LEAST_CHARS && /^[\x21-\x7e]+$/.test(token)) return token
    throw new GatewayError('CONFIG_INVALID', `${path} holds no usable token. Remove it and a new one is made.`)
  } finally {
    await file.close()
  }
}

async function openToken(path: string): Promise<FileHandle | undefined> {
  try {
    // A link could lead the token's permissions astray, a pipe would keep us waiting.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    const remedy = code === 'ELOOP' ? 'It must be a file, not a link.' : 'Let this user read it, or set API_TOKEN.'
    throw new GatewayError('CONFIG_INVALID', `${path} cannot be read (${code}). ${remedy}`, { cause: error })
  }
}

async function closeToOthers(file: FileHandle, path: string): Promise<void> {
  const stat = await file.stat()
  if (!stat.isFile()) throw new GatewayError('CONFIG_INVALID', `${path} must be a file. Remove it and one is made.`)
  if ((stat.mode & OTHERS) === 0) return
  try {
    await file.chmod(0o600)
  } catch (error) {
    throw new GatewayError(
      'CONFIG_INVALID',
      `${path} can be read by others and belongs to another user. Run: chmod 600 ${path}`,
      { cause: error },
    )
  }
}

/** Written aside and linked into place: whole or not there, and of two first starts at once both get the same one. */
async function createToken(stateDir: string): Promise<string> {
  const path = pathIn(stateDir)
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const aside = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 })
    await writeAside(aside, `${token}\n`)
    try {
      await link(aside, path)
    } finally {
      await unlink(aside)
    }
    return token
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const other = code === 'EEXIST' ? await storedToken(stateDir) : undefined
    if (other !== undefined) return other
    throw new GatewayError(
      'STATE_UNWRITABLE',
      `The API token cannot be written to ${path} (${asError(error).message}). Make STATE_DIR a folder that this user may write to, or set API_TOKEN.`,
      { cause: error },
    )
  }
}

async function writeAside(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

function pathIn(stateDir: string): string {
  return join(stateDir, 'api-token')
}
