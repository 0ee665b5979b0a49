import { existsSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { runCommand } from '../../debian/command.ts'
import { type Architecture, commandIn } from '../../debian/machine.ts'
import { type FetchOptions, fetchedTree, fetchTree, type Recipe } from '../../debian/tree.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'

/** What speaks and what recognizes, ready to be run. */
export interface SpeechPrograms {
  /** flite: the program with whatever must stand before it. */
  readonly speaker: readonly string[]
  /** pocketsphinx_batch. */
  readonly recognizer: readonly string[]
  /** The folder of Debian's US-English model. */
  readonly model: string
}

const remedy =
  'Install the packages flite, pocketsphinx (5 or newer) and pocketsphinx-en-us, or choose another AGENT_ENGINE.'

const modelFolder = 'usr/share/pocketsphinx/model/en-us'

const recipe: Recipe = {
  name: 'speech software (flite and pocketsphinx)',
  wanted: ['flite', 'pocketsphinx', 'pocketsphinx-en-us'],
  // Sound cards and character sets, which neither touches here.
  leftOut: [/^(libc-gconv-modules|libasound2-data)/],
  megabytes: 75,
  remedy,
  code: 'PROGRAM_MISSING',
  finish: async () => {},
  versionOf,
  isRecentEnough: () => true,
}

/** The installed programs when all of them are there, else Debian's, unpacked into the private folder. */
export async function obtainSpeechPrograms(options: FetchOptions): Promise<SpeechPrograms> {
  const installed = installedPrograms(options.environment['PATH'] ?? '')
  if (installed) return installed
  const { root, architecture } = await fetchTree(recipe, options)
  return programsIn(root, architecture)
}

/** Those that a start would take, if they are there already. Nothing is fetched now. */
export async function findSpeechPrograms(options: Omit<FetchOptions, 'progress'>): Promise<SpeechPrograms | undefined> {
  const installed = installedPrograms(options.environment['PATH'] ?? '')
  if (installed) return installed
  const found = await fetchedTree(recipe, options)
  return found && programsIn(found.root, found.architecture)
}

/** Of pocketsphinx only 5 and newer, which brought the program of this name: earlier ones hear otherwise. */
function installedPrograms(path: string): SpeechPrograms | undefined {
  const names = ['flite', 'pocketsphinx', 'pocketsphinx_batch']
  const [speaker, five, recognizer] = names.map(name => programOnPath(name, path))
  const model = join('/', modelFolder)
  if (!speaker || !five || !recognizer || !existsSync(join(model, 'en-us/mdef'))) return undefined
  return { speaker: [speaker], recognizer: [recognizer], model }
}

export function programOnPath(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map(folder => join(folder, name))
    .find(file => isAbsolute(file) && existsSync(file))
}

function programsIn(root: string, architecture: Architecture): SpeechPrograms {
  return {
    speaker: commandIn(root, 'usr/bin/flite', architecture),
    recognizer: commandIn(root, 'usr/bin/pocketsphinx_batch', architecture),
    model: join(root, modelFolder),
  }
}

/** All must run, and the voices and the model be there. */
async function versionOf(root: string, architecture: Architecture, clock: Clock): Promise<string> {
  const { speaker, model } = programsIn(root, architecture)
  const recognizer = commandIn(root, 'usr/bin/pocketsphinx', architecture)
  const options = { clock, timeoutMs: limits.debian.commandMs }
  const voices = await runCommand([...speaker, '-lv'], options)
  const help = await runCommand([...recognizer, 'help'], options)
  if (!/\bslt\b/.test(voices.stdout) || help.code !== 0 || !existsSync(join(model, 'en-us/mdef'))) {
    const words = `${voices.stderr} ${help.stderr}`.trim().slice(0, 300)
    throw new GatewayError('PROGRAM_MISSING', `what was unpacked does not run: ${words}`)
  }
  const { stdout } = await runCommand([...speaker, '--version'], options)
  return `flite-${/flite-([\d.]+)/.exec(stdout)?.[1] ?? ''}-pocketsphinx-5`
}
