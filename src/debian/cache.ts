import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import type { Architecture } from './machine.ts'
import type { UnpackedPackage } from './unpack.ts'

/** What a tree was made of: kept beside it, and the sign that it is whole. */
export interface Manifest {
  readonly version: string
  readonly architecture: Architecture['name']
  readonly wanted: readonly string[]
  readonly packages: readonly UnpackedPackage[]
}

export interface CachedTree {
  readonly folder: string
  readonly root: string
  readonly manifest: Manifest
}

/** 22.9 comes before 22.10. */
const inOrder = new Intl.Collator('en', { numeric: true })

const beginningOfUnfinished = '.unfinished-'

/** The newest whole tree made of the wanted packages. */
export async function findTree(
  cache: string,
  architecture: Architecture,
  wanted: readonly string[],
  isRecentEnough: (version: string) => boolean,
): Promise<CachedTree | undefined> {
  if (!existsSync(cache)) return undefined
  let newest: CachedTree | undefined
  for (const name of await readdir(cache)) {
    if (name.startsWith('.')) continue
    const tree = await readTree(join(cache, name))
    if (!tree || tree.manifest.architecture !== architecture.name || !isRecentEnough(tree.manifest.version)) continue
    if (tree.manifest.wanted.join() !== wanted.join()) continue
    if (!newest || inOrder.compare(tree.manifest.version, newest.manifest.version) > 0) newest = tree
  }
  return newest
}

async function readTree(folder: string): Promise<CachedTree | undefined> {
  try {
    const manifest: Manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))
    return { folder, root: join(folder, 'root'), manifest }
  } catch {
    return undefined
  }
}

/**
 * A tree is built in a folder of this process and takes its name only when it is whole, so whoever finds one by name can
 * use it. Of several processes that build at once the first to finish wins and the others use its tree.
 */
export async function buildTree(cache: string, build: (folder: string) => Promise<Manifest>): Promise<CachedTree> {
  const unfinished = join(cache, `${beginningOfUnfinished}${randomUUID()}`)
  await mkdir(unfinished, { recursive: true })
  try {
    const manifest = await build(unfinished)
    await writeFile(join(unfinished, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
    return await place(cache, unfinished, manifest)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

async function place(cache: string, unfinished: string, manifest: Manifest): Promise<CachedTree> {
  const folder = join(cache, folderName(manifest))
  try {
    await rename(unfinished, folder)
  } catch (error) {
    const finishedFirst = await readTree(folder)
    if (!finishedFirst) throw error
    return finishedFirst
  }
  return { folder, root: join(folder, 'root'), manifest }
}

/** Trees of one version that hold different packages stand side by side. */
function folderName({ version, architecture, wanted }: Manifest): string {
  const mark = createHash('sha256').update(wanted.join('\n')).digest('hex').slice(0, 6)
  return `${version}-${architecture}-${mark}`
}

/** Moves a tree that turned out to be damaged out of the way of the next one. */
export async function discardTree(cache: string, tree: CachedTree): Promise<void> {
  const aside = join(cache, `${beginningOfUnfinished}${randomUUID()}`)
  await rename(tree.folder, aside)
  await rm(aside, { recursive: true, force: true })
}

/** Removes what interrupted builds left. */
export async function sweepUnfinished(cache: string, clock: Clock): Promise<void> {
  if (!existsSync(cache)) return
  for (const name of await readdir(cache)) {
    if (!name.startsWith(beginningOfUnfinished)) continue
    const folder = join(cache, name)
    const found = await stat(folder).catch(() => undefined)
    if (found && clock.wallMs() - found.mtimeMs > limits.debian.leftoverMs) {
      await rm(folder, { recursive: true, force: true })
    }
  }
}
