// The first command works before anything is installed: this file needs only Node >= 20 and npm.
// It installs the dependencies when they differ from the lock file, then runs the given program under the pinned Node.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const stamp = join(root, 'node_modules', '.parley-installed')
const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .update(`${process.platform}-${process.arch}`)
  .digest('hex')

const [major] = process.versions.node.split('.').map(Number)
if (major < 20) fail(`Parley needs Node 20 or newer to install itself; this is ${process.version}.`)

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.error('parley: installing dependencies, this takes a minute the first time ...')
  // No script of a package is run but the one that fetches the pinned Node: of the others one would compile for minutes.
  runNpm('ci', '--ignore-scripts', '--no-audit', '--no-fund')
  runNpm('rebuild', 'node')
  writeFileSync(stamp, wanted)
}
if (!existsSync(pinnedNode)) fail('The pinned Node is missing from node_modules; run: rm -rf node_modules && npm start')

const [program, ...rest] = process.argv.slice(2)
const path = `${join(root, 'node_modules', 'node', 'bin')}:${process.env.PATH}`
// What was compiled is kept beside what was installed, for the next start.
const compiled = join(root, 'node_modules', '.compiled')
// A young generation of 4 MB a side fills up within the first calls: memory is flat from then on, and a collection takes
// 2 ms. Left alone it grows by 100 MB over hundreds of calls.
const child = spawn(pinnedNode, ['--max-semi-space-size=4', join(root, program), ...rest], {
  stdio: 'inherit',
  // Half of these threads may look up names (src/tools/resolving.ts).
  env: { NODE_COMPILE_CACHE: compiled, UV_THREADPOOL_SIZE: '16', ...process.env, PATH: path },
})
// Ctrl-C in a terminal reaches the whole foreground group, the child included. Any other signal may have been sent to this
// process alone, and is passed on.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
process.on('SIGTERM', () => child.kill('SIGTERM'))
process.on('SIGHUP', () => child.kill('SIGHUP'))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))

function runNpm(...args) {
  const silent = args[0] === 'rebuild'
  const stdio = ['inherit', silent ? 'ignore' : 'inherit', 'inherit']
  const npm = spawnSync('npm', [...args, '--loglevel=error'], { cwd: root, stdio })
  if (npm.error) fail(`npm could not be run (${npm.error.message}). Install npm and try again.`)
  if (npm.status !== 0) fail(`npm ${args[0]} failed; its own message stands above.`)
}

function fail(message) {
  console.error(`parley: ${message}`)
  process.exit(1)
}
