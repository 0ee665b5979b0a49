import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readBusiness } from '../business.ts'
import { Admission } from '../call/admission.ts'
import { loadConfig } from '../config.ts'
import { onDisk } from '../debian/disk.ts'
import { outletsOf } from '../destinations.ts'
import { asError } from '../errors.ts'
import { asteriskSettings, placeIn } from '../own-asterisk.ts'
import { ariPasswordSecret, keptSecret } from '../secret.ts'
import { readTrunkAddresses } from '../telephony/asterisk/addresses.ts'
import { layFolders } from '../telephony/asterisk/layout.ts'
import { renderConfiguration } from '../telephony/asterisk/render.ts'
import { resolveDestinations } from '../telephony/asterisk/resolve.ts'

const usage = `Writes the configuration of an Asterisk that is not started by Parley, such as one in a container.

  node src/commands/render-asterisk.ts --modules DIR --data DIR FOLDER

  FOLDER      where that Asterisk lives: started there, in run, with -C ../etc/asterisk.conf
  --modules   its folder of modules
  --data      its folder of sounds and ARI's descriptions

Settings are those of npm start. The ARI password, when none is set, is made and kept in STATE_DIR, where the gateway with
ASTERISK=external finds it.`

const say = (text: string) => console.error(`render-asterisk: ${text}`)

await main().catch(error => {
  say(asError(error).message)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { modules: { type: 'string' }, data: { type: 'string' }, help: { type: 'boolean' } },
    allowPositionals: true,
  })
  const [folder, ...rest] = positionals
  if (values.help) return console.log(usage)
  if (!folder || rest.length > 0 || !values.modules || !values.data) throw new Error(`That is not enough.\n\n${usage}`)
  const directory = resolve(folder)
  const loaded = loadConfig(process.cwd())
  const { config } = loaded
  const { ari, business, rtp } = config
  const settings = await asteriskSettings(config, {
    ...placeIn(directory),
    ari: { ...ari, password: await keptSecret(config.stateDir, ariPasswordSecret, ari.password?.reveal()) },
    maxCalls: new Admission(rtp, config.maxCalls, () => 0).maxCalls,
    // Those of other businesses are added by the gateway, which knows them.
    destinations: outletsOf(
      [readBusiness({ ...business, engine: config.engine, unusable: {} })],
      config,
      loaded.environment,
    ),
  })
  const rendered = renderConfiguration({
    settings,
    program: { moduleDirectory: values.modules, dataDirectory: values.data },
    trunk: readTrunkAddresses(),
    destinations: await resolveDestinations(settings, say),
  })
  await onDisk(directory, () => layFolders(directory, rendered, 'group'))
  say(`${rendered.size} files are in ${directory}/etc`)
}
