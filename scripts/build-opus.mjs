// Compiles libopus (@discordjs/opus) for the pinned Node: recordings are then converted three times as fast. Its own
// install script is never run by an install: it would fetch a binary, or compile for whatever Node runs npm. The pinned Node
// brings its own headers, so nothing comes from the network. Usage: npm run opus
import { spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { basename, delimiter, join } from 'node:path'

const modules = join(import.meta.dirname, '../node_modules')
const opus = join(modules, '@discordjs/opus')
const headers = join(modules, `node/node_modules/node-${process.platform}-${process.arch}`)
for (const needed of [opus, join(headers, 'include/node/node_api.h')]) {
  if (!existsSync(needed)) fail(`${basename(needed)} is not installed here: remove node_modules, and try again.`)
}
const { CC = 'cc', CXX = 'g++', PYTHON } = process.env
const missing = Object.entries({
  [`a C compiler (${CC})`]: [CC],
  [`a C++ compiler (${CXX})`]: [CXX],
  make: ['make'],
  'Python 3': PYTHON ? [PYTHON] : ['python3', 'python'],
  npm: ['npm'],
}).filter(([, programs]) => !programs.some(isThere))
if (missing.length > 0) {
  const names = missing.map(([name]) => name).join(', ')
  fail(`this machine has not: ${names}. Debian has them in build-essential, python3 and npm; then run it again.`)
}

// Beside what is loaded, whenever this is killed: a module that a linker has half written ends who loads it by SIGBUS.
const aside = join(modules, '.opus-unfinished')
const made = join(aside, 'prebuild')
const leaveNothing = () => rmSync(aside, { recursive: true, force: true })
leaveNothing()
cpSync(opus, aside, { recursive: true })
rmSync(made, { recursive: true, force: true })
const { status, stderr, error } = spawnSync('npm', ['run', 'install', '--loglevel=error'], {
  cwd: aside,
  encoding: 'utf8',
  stdio: ['ignore', 'ignore', 'pipe'],
  env: { ...process.env, npm_config_build_from_source: 'true', npm_config_nodedir: headers, JOBS: 'max' },
})
if (error || status !== 0) {
  leaveNothing()
  const said = (error?.message ?? stderr).split('\n').filter(line => /error|not found|could not|no space/i.test(line))
  fail(`compiling it ended with\n${said.slice(0, 5).join('\n')}`)
}
// In a process of its own: what is no sound module may end whoever loads it.
const trial = `const { OpusEncoder } = require('.'); new OpusEncoder(8000, 2).encode(Buffer.alloc(640))`
if (spawnSync(process.execPath, ['-e', trial], { cwd: aside, stdio: 'ignore' }).status !== 0) {
  leaveNothing()
  fail('what was compiled does not run here.')
}
for (const name of readdirSync(made, { recursive: true })) fsyncSync(openSync(join(made, name)))
rmSync(join(opus, 'prebuild'), { recursive: true, force: true })
renameSync(made, join(opus, 'prebuild'))
leaveNothing()
console.log('opus: libopus is compiled, and used from the next start on')

function isThere(program) {
  const paths = program.includes('/')
    ? [program]
    : (process.env.PATH ?? '').split(delimiter).map(at => join(at, program))
  return paths.some(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function fail(text) {
  console.error(`opus: libopus was not compiled: ${text}`)
  console.error(
    'opus: nothing is lost: recordings are converted as before, by WebAssembly where nothing was compiled yet',
  )
  process.exit(1)
}
