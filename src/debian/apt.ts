import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { type CommandResult, runCommand } from './command.ts'
import { type Mirror, readMirrors } from './mirrors.ts'

/** The release of Debian that carries an Asterisk recent enough; the stable ones carry none. */
const suite = 'forky'

/** Debian's own keys, under the names its releases use. */
const debianKeyrings = ['debian-archive-keyring.gpg', 'debian-archive-keyring.pgp'].map(name =>
  join('/usr/share/keyrings', name),
)

/**
 * An apt of our own: its lists, its cache and its empty record of installed packages stand in one folder, so it needs no
 * root, changes nothing on the machine, and resolves every package that is needed down to libc.
 */
export class PrivateApt {
  readonly #directory: string
  readonly #clock: Clock
  readonly #environment: Record<string, string | undefined>

  constructor(directory: string, clock: Clock, environment: Readonly<Record<string, string | undefined>>) {
    this.#directory = directory
    this.#clock = clock
    this.#environment = { ...environment, APT_CONFIG: join(directory, 'apt.conf'), LC_ALL: 'C' }
  }

  /** Finds a mirror of the machine's own sources that carries the suite, and reads its list of packages. */
  async open(architecture: string): Promise<void> {
    await this.#lay(architecture)
    const attempts = (await machineMirrors()).flatMap(keyringsToTry)
    if (attempts.length === 0) throw missing("the machine's apt sources name no Debian mirror")
    let failure = ''
    for (const { uri, keyring } of attempts) {
      const options = keyring ? `[signed-by=${keyring}] ` : ''
      await writeFile(join(this.#directory, 'sources.list'), `deb ${options}${uri} ${suite} main\n`)
      const result = await this.#apt('update')
      // A mirror that does not answer is no failure to apt: what counts is the list of packages, checked and there.
      if (result.code === 0 && (await this.#hasPackageList())) return
      failure = lastLines(result)
    }
    throw missing(`apt could not read the release "${suite}" from the machine's own mirror: ${failure}`)
  }

  /** Names of all packages that an installation on an empty machine would bring. */
  async resolve(wanted: readonly string[]): Promise<string[]> {
    const result = await this.#apt('install', '--simulate', ...wanted)
    if (result.code !== 0) throw missing(`apt found no way to install it: ${lastLines(result)}`)
    return [...result.stdout.matchAll(/^Inst (\S+)/gm)].map(match => match[1] ?? '')
  }

  /** Downloads into a folder; apt checks each file against the signed list. */
  async download(packages: readonly string[], into: string): Promise<void> {
    const result = await this.#apt('download', { directory: into }, ...packages)
    if (result.code !== 0) throw missing(`apt could not download it: ${lastLines(result)}`)
  }

  async #hasPackageList(): Promise<boolean> {
    return (await readdir(join(this.#directory, 'lists'))).some(
      name => name.includes(`_${suite}_`) && name.includes('_Packages'),
    )
  }

  async #apt(verb: string, ...rest: (string | { directory: string })[]): Promise<CommandResult> {
    const directory = rest.find(each => typeof each === 'object')?.directory
    return runCommand(['apt-get', '--quiet', verb, ...rest.filter(each => typeof each === 'string')], {
      clock: this.#clock,
      timeoutMs: limits.debian.downloadMs,
      environment: this.#environment,
      ...(directory && { directory }),
    })
  }

  async #lay(architecture: string): Promise<void> {
    const at = (...parts: string[]) => join(this.#directory, ...parts)
    for (const folder of ['lists/partial', 'archives/partial', 'etc/preferences.d', 'none']) {
      await mkdir(at(folder), { recursive: true })
    }
    await writeFile(at('status'), '')
    const settings = {
      Dir: this.#directory,
      'Dir::State': this.#directory,
      'Dir::State::status': at('status'),
      'Dir::Cache': this.#directory,
      'Dir::Etc': at('etc'),
      'Dir::Etc::sourcelist': at('sources.list'),
      'Dir::Etc::sourceparts': at('none'),
      // Else the machine's hooks run, which an ordinary user may not.
      'Dir::Etc::main': at('none', 'apt.conf'),
      'Dir::Etc::parts': at('none'),
      'Dir::Etc::netrc': '/etc/apt/auth.conf',
      'Dir::Etc::netrcparts': '/etc/apt/auth.conf.d',
      // A mirror may be a snapshot, older than its own validity. Signatures are checked all the same.
      'Acquire::Check-Valid-Until': 'false',
      'Acquire::Languages': 'none',
      'Acquire::Retries': '2',
      'APT::Architecture': architecture,
      'APT::Install-Recommends': 'false',
      // The unprivileged user of apt could not write into a folder of ours.
      'APT::Sandbox::User': 'root',
    }
    const own = Object.entries(settings).map(([name, value]) => `${name} "${value}";`)
    const proxies = await this.#machineProxies()
    await writeFile(at('apt.conf'), [...proxies, ...own, `APT::Architectures { "${architecture}"; };`, ''].join('\n'))
  }

  /** How this machine reaches its mirrors: a proxy, or certificates of its own. */
  async #machineProxies(): Promise<string[]> {
    const { APT_CONFIG: _, ...environment } = this.#environment
    const options = { clock: this.#clock, timeoutMs: limits.debian.commandMs, environment }
    const result = await runCommand(['apt-config', 'dump'], options)
    if (result.code !== 0) throw missing('this machine has no apt')
    return result.stdout.split('\n').filter(line => /^Acquire::(https?|ftp|tor)::.*"[^"]+";$/i.test(line))
  }
}

async function machineMirrors(): Promise<Mirror[]> {
  const release = existsSync('/etc/os-release') ? await readFile('/etc/os-release', 'utf8') : ''
  return readMirrors('/etc/apt', /^VERSION_CODENAME="?([a-z]+)/m.exec(release)?.[1] ?? 'stable')
}

/** A mirror signed by its owner is verified with the owner's key, all others with Debian's. */
function keyringsToTry(mirror: Mirror): Mirror[] {
  const debian = debianKeyrings.find(existsSync)
  const keyrings = [...new Set([debian, mirror.keyring])].filter(keyring => keyring !== undefined)
  return keyrings.map(keyring => ({ uri: mirror.uri, keyring }))
}

function lastLines({ stdout, stderr }: CommandResult): string {
  const lines = `${stdout}\n${stderr}`.split('\n').filter(line => /^(E|W|Err):?/.test(line))
  return lines.slice(-4).join(' ') || stderr.trim().slice(-300)
}

function missing(reason: string): GatewayError {
  return new GatewayError('PROGRAM_MISSING', reason)
}
