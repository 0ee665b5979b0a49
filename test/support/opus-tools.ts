import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { runCommand } from '../../src/debian/command.ts'
import { commandIn } from '../../src/debian/machine.ts'
import { fetchTree, type Recipe } from '../../src/debian/tree.ts'
import { GatewayError } from '../../src/errors.ts'

/** Xiph's own tools, unpacked privately: they share nothing with what writes the files, and say what is wrong with them. */
const recipe: Recipe = {
  name: 'opus-tools',
  wanted: ['opus-tools'],
  leftOut: [/^(libc-gconv-modules|libasound2-data|ca-certificates|openssl)/],
  megabytes: 10,
  remedy: 'Only tests need it.',
  code: 'PROGRAM_MISSING',
  finish: async () => {},
  isRecentEnough: () => true,
  async versionOf(root, architecture, clock) {
    const command = commandIn(root, 'usr/bin/opusinfo', architecture)
    const { stdout, stderr } = await runCommand([...command, '-V'], { clock, timeoutMs: 10_000 })
    const version = /opus-tools ([\d.]+)/.exec(stdout)?.[1]
    if (!version) throw new GatewayError('PROGRAM_MISSING', `it does not run: ${stderr.trim()}`)
    return version
  },
}

export interface OpusTools {
  /** What opusinfo says of a file; it begins its complaints with WARNING or ERROR. */
  info(path: string): Promise<string>
  /** To a WAV file, at the rate of the sound that was encoded. */
  decode(path: string, wav: string): Promise<void>
}

export async function opusTools(): Promise<OpusTools> {
  const { root, architecture } = await fetchTree(recipe, {
    cacheDirectory: join(import.meta.dirname, '../../.parley/opus-tools'),
    environment: process.env,
    clock: systemClock,
    progress: text => console.error(`opus-tools: ${text}`),
  })
  const run = async (program: string, ...args: string[]) => {
    const command = [...commandIn(root, `usr/bin/${program}`, architecture), ...args]
    const { code, stdout, stderr } = await runCommand(command, { clock: systemClock, timeoutMs: 60_000 })
    if (code !== 0) throw new Error(`${program} failed: ${stdout}${stderr}`)
    return `${stdout}${stderr}`
  }
  return {
    info: path => run('opusinfo', path),
    decode: async (path, wav) => void (await run('opusdec', '--quiet', '--rate', '8000', '--no-dither', path, wav)),
  }
}
