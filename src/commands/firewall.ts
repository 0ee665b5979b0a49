import { parseArgs } from 'node:util'
import { loadConfig } from '../config.ts'
import { knownBusinesses, outletsOf } from '../destinations.ts'
import { asError } from '../errors.ts'
import { readTrunkAddresses } from '../telephony/asterisk/addresses.ts'
import { renderFirewall } from '../telephony/asterisk/firewall.ts'
import { resolveDestinations } from '../telephony/asterisk/resolve.ts'

const usage = `Prints rules for nftables that let only Twilio, SIP_ALLOW and the destinations of all businesses reach Parley's ports.

  npm run --silent firewall | sudo nft -f -    loads them, in place of those loaded before
  sudo nft delete table inet parley            takes them away`

await main().catch(error => {
  console.error(`firewall: ${asError(error).message}`)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { help: { type: 'boolean', default: false } } })
  if (values.help) return console.log(usage)
  const loaded = loadConfig(process.cwd())
  const { sip, rtp, fallbackDestination } = loaded.config
  const destinations = outletsOf(knownBusinesses(loaded, warn), loaded.config, loaded.environment)
  const rules = renderFirewall({
    settings: { tcpPort: sip.tcpPort, udpPort: sip.udpPort, tls: sip.tls, rtp, allowedNetworks: sip.allow },
    trunk: readTrunkAddresses(),
    destinations: await resolveDestinations({ fallbackDestination, destinations }, warn),
  })
  process.stdout.write(rules)
}

function warn(text: string): void {
  console.error(`firewall: ${text}`)
}
