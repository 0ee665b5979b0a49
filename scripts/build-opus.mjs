// Compiles libopus (@discordjs/opus) for the pinned Node: recordings then take a quarter of the time to be converted. Its own
// install script is never run by an install: it would fetch a binary, or compile for whatever Node runs npm. Usage: npm run opus
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const opus = join(import.meta.dirname, '../node_modules/@discordjs/opus')
if (!existsSync(opus)) finish('@discordjs/opus is not installed here: remove node_modules, and try again.')

const { status, stderr, error } = spawnSync('npm', ['run', 'install', '--loglevel=error'], {
  cwd: opus,
  encoding: 'utf8',
  stdio: ['ignore', 'ignore', 'pipe'],
  env: { ...process.env, npm_config_build_from_source: 'true', JOBS: 'max' },
})
rmSync(join(opus, 'build'), { recursive: true, force: true })
if (error || status !== 0) {
  const said = (error?.message ?? stderr).split('\n').filter(line => /error|not found|could not/i.test(line))
  finish(`libopus was not compiled, and opusscript does its work as before:\n${said.slice(0, 5).join('\n')}`)
}
console.log('opus: libopus is compiled, and used from the next start on')

function finish(text) {
  console.error(`opus: ${text}`)
  process.exit(1)
}
