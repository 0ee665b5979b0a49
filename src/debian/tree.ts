import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { asError, type ErrorCode, GatewayError } from '../errors.ts'
import { PrivateApt } from './apt.ts'
import { buildTree, type CachedTree, discardTree, findTree, type Manifest, sweepUnfinished } from './cache.ts'
import { onDisk } from './disk.ts'
import { type Architecture, machineArchitecture } from './machine.ts'
import { hashPackages, unpackPackages } from './unpack.ts'

export interface FetchOptions {
  /** Unpacked trees are kept here, for every start and every test of this machine. */
  readonly cacheDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly progress: (text: string) => void
}

/** What a tree of Debian's packages is made of, and how it is told apart from one that does not work. */
export interface Recipe {
  /** As it is told to people. */
  readonly name: string
  readonly wanted: readonly string[]
  /** Packages that would be fetched and never used. */
  readonly leftOut: readonly RegExp[]
  readonly megabytes: number
  /** What a person does when it cannot be fetched. */
  readonly remedy: string
  readonly code: ErrorCode
  /** What an installation would do once all is unpacked. */
  readonly finish: (root: string) => Promise<void>
  /** Runs what was unpacked; throws when that does not work. */
  readonly versionOf: (root: string, architecture: Architecture, clock: Clock) => Promise<string>
  /** Of an earlier fetch. */
  readonly isRecentEnough: (version: string) => boolean
}

export interface Tree {
  readonly root: string
  readonly version: string
  readonly architecture: Architecture
}

/** Debian's packages, unpacked into a folder of their own; from the cache when they were fetched before. */
export function fetchTree(recipe: Recipe, options: FetchOptions): Promise<Tree> {
  return onDisk(options.cacheDirectory, () => cachedOrFetched(recipe, options))
}

/** What was fetched before, if it still runs. Nothing is fetched now. */
export async function fetchedTree(
  recipe: Recipe,
  { cacheDirectory, clock }: Pick<FetchOptions, 'cacheDirectory' | 'clock'>,
): Promise<Tree | undefined> {
  const architecture = machineArchitecture()
  if (!architecture) return undefined
  const cached = await findTree(cacheDirectory, architecture, recipe.wanted, recipe.isRecentEnough)
  return cached && (await runs(cached, recipe, architecture, clock)) ? treeOf(cached, architecture) : undefined
}

async function cachedOrFetched(recipe: Recipe, options: FetchOptions): Promise<Tree> {
  const architecture = machineArchitecture()
  if (!architecture) {
    const machine = `${process.platform} on ${process.arch}`
    throw new GatewayError(recipe.code, `No ${recipe.name} can be fetched for ${machine}. ${recipe.remedy}`)
  }
  const { cacheDirectory, clock, progress } = options
  await mkdir(cacheDirectory, { recursive: true })
  await sweepUnfinished(cacheDirectory, clock)
  const cached = await findTree(cacheDirectory, architecture, recipe.wanted, recipe.isRecentEnough)
  if (cached) {
    if (await runs(cached, recipe, architecture, clock)) return treeOf(cached, architecture)
    progress(`the unpacked ${recipe.name} in ${cached.folder} does not run any more and is fetched again`)
    await discardTree(cacheDirectory, cached)
  }
  return treeOf(await fetched(recipe, options, architecture), architecture)
}

async function fetched(recipe: Recipe, options: FetchOptions, architecture: Architecture): Promise<CachedTree> {
  const { name, megabytes, remedy, code } = recipe
  options.progress(
    `no ${name} is installed; fetching Debian's package (about ${megabytes} MB, kept for later starts) ...`,
  )
  try {
    const tree = await buildTree(options.cacheDirectory, folder => build(folder, recipe, options, architecture))
    options.progress(`${name} ${tree.manifest.version} is unpacked in ${tree.folder}`)
    return tree
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    const why = asError(error).message
    throw new GatewayError(code, `No ${name} is installed, and Debian's could not be fetched: ${why}. ${remedy}`, {
      cause: error,
    })
  }
}

async function build(
  folder: string,
  { wanted, leftOut, finish, versionOf }: Recipe,
  { clock, progress, environment }: FetchOptions,
  architecture: Architecture,
): Promise<Manifest> {
  const [aptFolder, downloads, root] = [join(folder, 'apt'), join(folder, 'packages'), join(folder, 'root')]
  const apt = new PrivateApt(aptFolder, clock, environment)
  await apt.open(architecture.name)
  const packages = (await apt.resolve(wanted)).filter(name => !leftOut.some(pattern => pattern.test(name)))
  progress(`downloading ${packages.length} packages ...`)
  await mkdir(downloads)
  await apt.download(packages, downloads)
  progress(`unpacking ${packages.length} packages ...`)
  await unpackPackages(downloads, root, clock)
  const hashed = await hashPackages(downloads)
  await finish(root)
  for (const done of [aptFolder, downloads]) await rm(done, { recursive: true })
  const version = await versionOf(root, architecture, clock)
  return { version, architecture: architecture.name, wanted, packages: hashed }
}

async function runs(tree: CachedTree, recipe: Recipe, architecture: Architecture, clock: Clock): Promise<boolean> {
  const version = await recipe.versionOf(tree.root, architecture, clock).catch(() => undefined)
  return version === tree.manifest.version
}

function treeOf({ root, manifest }: CachedTree, architecture: Architecture): Tree {
  return { root, version: manifest.version, architecture }
}
