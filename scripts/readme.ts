/**
 * Places the call that README.md shows, and writes there what it printed: on a gateway with a fresh state and without
 * anybody's settings. Other sentences: `npm run readme -- "one" "two"`. Ports and engine may be set as for npm start.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { realCall, withBlock } from './marked-block.ts'

const sentences = ['I would like an appointment tomorrow at three', 'yes please']
const passedOn =
  /^(PATH|HOME|LANG|TMPDIR|AGENT_ENGINE|ASTERISK|.*_PORT|RTP_PORT_.*|(https?|no)_proxy|NODE_EXTRA_CA_CERTS)$/i

const root = join(import.meta.dirname, '..')
const readme = join(root, 'README.md')
const folder = mkdtempSync(join(tmpdir(), 'parley-readme-'))
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => passedOn.test(name))),
  STATE_DIR: join(folder, 'state'),
  // What is fetched is no state.
  ASTERISK_CACHE: process.env['ASTERISK_CACHE'] ?? join(root, '.parley/asterisk'),
  SPEECH_CACHE: process.env['SPEECH_CACHE'] ?? join(root, '.parley/speech'),
}

const gateway = run('src/main.ts', [])
try {
  await isReady(gateway)
  const said = process.argv.length > 2 ? process.argv.slice(2) : sentences
  const printed = await outputOf(run('src/commands/call.ts', said))
  const command = `$ npm run call -- ${said.map(each => JSON.stringify(each)).join(' ')}`
  const page = withBlock(
    readFileSync(readme, 'utf8'),
    realCall,
    `\`\`\`console\n${command}\n${printed.trimEnd()}\n\`\`\``,
  )
  writeFileSync(readme, page)
  console.log(printed)
} finally {
  gateway.kill('SIGINT')
  if (gateway.exitCode === null) await once(gateway, 'exit')
  rmSync(folder, { recursive: true })
}

function run(program: string, args: readonly string[]): ChildProcess {
  return spawn('node', [join(root, program), ...args], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function isReady(child: ChildProcess): Promise<void> {
  const ready = Promise.withResolvers<void>()
  createInterface(child.stdout!).on('line', line => line.startsWith('parley ready') && ready.resolve())
  child.once('exit', code => ready.reject(new Error(`The gateway has ended (${code}); its own words stand above.`)))
  await ready.promise
}

async function outputOf(child: ChildProcess): Promise<string> {
  const parts: Buffer[] = []
  child.stdout!.on('data', part => parts.push(part))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`The call failed (${code}); its own words stand above.`)
  return Buffer.concat(parts).toString()
}
