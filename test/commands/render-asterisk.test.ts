import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-render-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function render(environment: Record<string, string>, ...args: string[]) {
  const command = join(root, 'src/commands/render-asterisk.ts')
  const env = { STATE_DIR: join(folder, 'state'), ASTERISK: 'external', ...environment }
  return spawnSync(process.execPath, [command, ...args], { cwd: folder, env, encoding: 'utf8' })
}

const pbx = () => join(folder, 'pbx')
const places = ['--modules', '/usr/lib/asterisk/modules', '--data', '/usr/share/asterisk']
const written = (file: string) => readFile(join(pbx(), 'etc', file), 'utf8')
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

it('writes all that an Asterisk elsewhere needs, with the password that the gateway finds in STATE_DIR', async () => {
  const { status, stderr } = render({ RTP_PORT_START: '20000', RTP_PORT_END: '20100' }, ...places, pbx())
  expect([status, stderr]).toEqual([0, expect.stringMatching(/^render-asterisk: \d+ files are in /)])
  const password = (await readFile(join(folder, 'state/ari-password'), 'utf8')).trim()
  expect(await written('ari.conf')).toContain(`\npassword = ${password}\n`)
  expect(await written('asterisk.conf')).toContain('\nastmoddir => /usr/lib/asterisk/modules\n')
  expect(await written('pjsip.conf')).toContain('\nrtp_port_start = 20000\n')
  expect(await written('logger.conf')).toContain('\nconsole => warning,error\n')
  expect(await written('pjsip.conf')).not.toContain('127.0.0.1')
  const again = render({}, ...places, pbx())
  expect(again.status).toBe(0)
  expect(await written('ari.conf')).toContain(`\npassword = ${password}\n`)
})

it('lets the group in that Asterisk runs as, and nobody else', async () => {
  render({}, ...places, pbx())
  expect(await modeOf(pbx())).toBe('770')
  expect(await modeOf(join(pbx(), 'etc'))).toBe('750')
  expect(await modeOf(join(pbx(), 'etc/ari.conf'))).toBe('640')
  expect(await modeOf(join(pbx(), 'spool/recording'))).toBe('770')
  expect(await modeOf(join(folder, 'state/ari-password'))).toBe('600')
})

it('says in words what is wrong, and no secret', () => {
  expect(render({}, pbx()).stderr).toMatch(/That is not enough[\s\S]*--modules DIR/)
  const wrong = render({ ARI_PASSWORD: 'secret {{', SIP_USER: 'a b' }, ...places, pbx())
  expect(wrong.status).toBe(1)
  expect(wrong.stderr).toContain('SIP_USER')
  expect(wrong.stderr).not.toContain('secret {{')
})
