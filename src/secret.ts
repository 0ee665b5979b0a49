import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { asError, GatewayError } from './errors.ts'

const SECRET_BYTES = 32
const LEAST_CHARS = 16
const OTHERS = 0o077

/** Printed, logged or turned into JSON it shows nothing; who needs the text must ask for it. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toJSON(): string {
    return '[secret]'
  }
}

/** A secret that is configured, or made at the first start and kept in STATE_DIR. */
export interface SecretName {
  readonly file: string
  /** The variable that sets it instead. */
  readonly setting: string
}

export const apiTokenSecret: SecretName = { file: 'api-token', setting: 'API_TOKEN' }
export const ariPasswordSecret: SecretName = { file: 'ari-password', setting: 'ARI_PASSWORD' }

/** The configured one, else the one kept in STATE_DIR, made at the first start. */
export async function keptSecret(stateDir: string, name: SecretName, configured?: string): Promise<string> {
  if (configured !== undefined) return configured
  return (await storedSecret(stateDir, name)) ?? (await createSecret(stateDir, name))
}

/**
 * Of an Asterisk that somebody else starts: none can be made up for it here, but the command that renders its configuration
 * keeps the one it has made in STATE_DIR.
 */
export async function foreignAriPassword(stateDir: string, configured?: string): Promise<string> {
  const password = configured ?? (await storedSecret(stateDir, ariPasswordSecret))
  if (password !== undefined) return password
  throw new GatewayError(
    'CONFIG_INVALID',
    'ARI_PASSWORD must be set when ASTERISK=external: the password of that Asterisk cannot be generated here.',
  )
}

/** What an earlier start has left in STATE_DIR, if anything. Never readable by others than its owner afterwards. */
export async function storedSecret(stateDir: string, name: SecretName): Promise<string | undefined> {
  const path = join(stateDir, name.file)
  const file = await openSecret(path, name)
  if (!file) return undefined
  try {
    await closeToOthers(file, path)
    const secret = (await file.readFile('utf8')).trim()
    if (secret.length >= LEAST_CHARS && /^[\x21-\x7e]+$/.test(secret)) return secret
    throw new GatewayError('CONFIG_INVALID', `${path} holds no usable secret. Remove it and a new one is made.`)
  } finally {
    await file.close()
  }
}

async function openSecret(path: string, { setting }: SecretName): Promise<FileHandle | undefined> {
  try {
    // A link could lead the secret's permissions astray, a pipe would keep us waiting.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    const remedy = code === 'ELOOP' ? 'It must be a file, not a link.' : `Let this user read it, or set ${setting}.`
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
async function createSecret(stateDir: string, name: SecretName): Promise<string> {
  const path = join(stateDir, name.file)
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  const aside = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 })
    await writeAside(aside, `${secret}\n`)
    try {
      await link(aside, path)
    } finally {
      await unlink(aside)
    }
    return secret
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const other = code === 'EEXIST' ? await storedSecret(stateDir, name) : undefined
    if (other !== undefined) return other
    throw new GatewayError(
      'STATE_UNWRITABLE',
      `A secret cannot be written to ${path} (${asError(error).message}). Make STATE_DIR a folder that this user may write to, or set ${name.setting}.`,
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
