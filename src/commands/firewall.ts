import { parseArgs } from 'node:util'
import { loadConfig } from '../config.ts'
import { knownBusinesses, outletsOf } from '../destinations.ts'
import { asError } from '../errors.ts'
import { readTrunkAddresses } from '../telephony/asterisk/addresses.ts'
import { renderFirewall } from '../telephony/asterisk/firewall.ts'
import { resolveDestinations } from '../telephony/asterisk/resolve.ts'
import { renderTerraform } from '../telephony/asterisk/terraform.ts'

const usage = `Prints rules for nftables that let only Twilio, SIP_ALLOW and the destinations of all businesses reach Parley's ports.

  npm run --silent firewall | sudo nft -f -    loads them, in place of those loaded before
  sudo nft delete table inet parley            takes them away

  npm run --silent firewall -- --terraform     prints a module for Terraform instead: the same rules as a security group
                                               of AWS, a fixed address, and the names that lead to it`

await main().catch(error => {
  console.error(`firewall: ${asError(error).message}`)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ options: { help: flag, terraform: flag } })
  if (values.help) return console.log(usage)
  const loaded = loadConfig(process.cwd())
  const { sip, rtp, fallbackDestination, twilio } = loaded.config
  const destinations = outletsOf(knownBusinesses(loaded, warn), loaded.config, loaded.environment)
  const input = {
    settings: { tcpPort: sip.tcpPort, udpPort: sip.udpPort, tls: sip.tls, rtp, allowedNetworks: sip.allow },
    trunk: readTrunkAddresses(),
    destinations: await resolveDestinations({ fallbackDestination, destinations }, warn),
  }
  const hosts = [twilio.sipDomain, twilio.publicBaseUrl && new URL(twilio.publicBaseUrl).hostname]
  process.stdout.write(values.terraform ? renderTerraform({ ...input, hosts }) : renderFirewall(input))
}

function warn(text: string): void {
  console.error(`firewall: ${text}`)
}
