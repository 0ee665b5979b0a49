import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the machine itself gets Debian's packages from, and what it verifies them with. */
export interface Mirror {
  readonly uri: string
  /** A keyring's path; undefined when the machine leaves the choice to apt. */
  readonly keyring: string | undefined
}

interface Entry {
  readonly uris: readonly string[]
  readonly suites: readonly string[]
  readonly components: readonly string[]
  readonly keyring: string | undefined
}

const namesOfAnyRelease = ['oldstable', 'stable', 'testing', 'unstable', 'sid']

/**
 * The mirrors of the machine's own sources, in their order: those that carry the machine's whole release, and so the
 * distribution's others too. Security and update suites stand beside a release; other vendors have suites of their own.
 */
export function readMirrors(aptDirectory: string, codename: string): Mirror[] {
  const parts = join(aptDirectory, 'sources.list.d')
  const files = [join(aptDirectory, 'sources.list')]
  if (existsSync(parts)) files.push(...readdirSync(parts).map(name => join(parts, name)))
  const entries = files.filter(existsSync).flatMap(file => {
    const text = readFileSync(file, 'utf8')
    if (file.endsWith('.sources')) return parseDeb822(text)
    return file.endsWith('.list') ? parseOneLine(text) : []
  })
  return mirrorsOf(entries, [codename, ...namesOfAnyRelease])
}

function mirrorsOf(entries: readonly Entry[], releases: readonly string[]): Mirror[] {
  const mirrors = new Map<string, Mirror>()
  for (const entry of entries) {
    if (!entry.suites.some(suite => releases.includes(suite)) || !entry.components.includes('main')) continue
    for (const uri of entry.uris) {
      if (/^(https?|file|copy|mirror|tor)[+:]/.test(uri) && !mirrors.has(uri)) {
        mirrors.set(uri, { uri, keyring: entry.keyring })
      }
    }
  }
  return [...mirrors.values()]
}

/** The form of `.sources` files: see deb822(5) and sources.list(5). */
function parseDeb822(text: string): Entry[] {
  return text
    .split('\n')
    .filter(line => !line.startsWith('#'))
    .join('\n')
    .split(/\n\s*\n/)
    .map(fieldsOf)
    .filter(fields => words(fields.get('types')).includes('deb') && fields.get('enabled')?.toLowerCase() !== 'no')
    .map(fields => ({
      uris: words(fields.get('uris')),
      suites: words(fields.get('suites')),
      components: words(fields.get('components')),
      keyring: keyringPath(fields.get('signed-by')),
    }))
}

function fieldsOf(stanza: string): Map<string, string> {
  const fields = new Map<string, string>()
  let name = ''
  for (const line of stanza.split('\n')) {
    const field = /^([A-Za-z-]+):(.*)$/.exec(line)
    if (field?.[1]) name = field[1].toLowerCase()
    fields.set(name, `${fields.get(name) ?? ''} ${(field ? field[2] : line)?.trim()}`.trim())
  }
  return fields
}

/** The form of `.list` files: `deb [option=value ...] uri suite component ...`. */
function parseOneLine(text: string): Entry[] {
  return text.split('\n').flatMap(line => {
    const parts = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)([^#]*)/.exec(line)
    if (!parts) return []
    const [, options, uri = '', suite = '', components] = parts
    const signedBy = words(options).find(option => option.startsWith('signed-by='))
    return [
      {
        uris: [uri],
        suites: [suite],
        components: words(components),
        keyring: keyringPath(signedBy?.slice('signed-by='.length)),
      },
    ]
  })
}

/** Signed-By may also hold fingerprints or a key itself: those name no file. */
function keyringPath(signedBy: string | undefined): string | undefined {
  return signedBy?.startsWith('/') && !/\s/.test(signedBy) ? signedBy : undefined
}

function words(text: string | undefined): string[] {
  return text?.split(/\s+/).filter(Boolean) ?? []
}
