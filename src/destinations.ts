import { join } from 'node:path'
import { type Business, judgeChoice, readBusiness } from './business.ts'
import { destinationKey, passwordVariable } from './business-destinations.ts'
import type { DialRoute, FindRoute } from './call/ports.ts'
import { systemClock } from './clock.ts'
import { businessDefaults, type Loaded } from './config.ts'
import type { Environment } from './environment.ts'
import { byCarrier, type SipSettings } from './sip-settings.ts'
import { SnapshotFile } from './store/snapshot.ts'
import {
  type Destination,
  dialString,
  endpointName,
  isTelephoneNumber,
  type Outlet,
  readDestination,
} from './telephony/asterisk/destination.ts'

type Listed = Business['destinations'][number]
type Settings = Pick<SipSettings, 'outlets' | 'transfers'>

/**
 * For programs that run beside the gateway: the business of the file or the environment, and those that it has last known.
 * With secrets unseen, also those that lack one.
 */
export function knownBusinesses(
  loaded: Loaded,
  trouble: (text: string) => void,
  { secrets = 'seen' }: { readonly secrets?: 'seen' | 'unseen' } = {},
): Business[] {
  const { environment, ...rest } = businessDefaults(loaded)
  const defaults = { ...rest, ...(secrets === 'seen' && environment ? { environment } : {}), unusable: {} }
  const own = readBusiness(defaults)
  const snapshot = new SnapshotFile(join(loaded.config.stateDir, 'businesses.json'), systemClock, trouble).read()
  const further = (snapshot?.businesses ?? []).filter(({ id }) => id !== snapshot?.own?.id && id !== own.id)
  return [
    own,
    ...further.flatMap(({ id, active, choice }) => {
      const judged = judgeChoice({ ...choice, id, active }, { ...defaults, phone: undefined, ownerPhone: undefined })
      if ('business' in judged) return judged.business.active ? [judged.business] : []
      trouble(`the business ${id} is left out: ${judged.problems.join('; ')}`)
      return []
    }),
  ]
}

/** Where the destinations of all these businesses are dialled, by the name of their endpoint. What cannot be is left out. */
export function outletsOf(
  businesses: readonly Business[],
  settings: Settings,
  environment: Environment,
): Record<string, Outlet> {
  const all = businesses.flatMap(({ destinations }) =>
    destinations.flatMap(listed => destinationOf(listed, settings, environment) ?? []),
  )
  return Object.fromEntries(all.map(({ user: _, ...outlet }) => [endpointName(outlet), outlet]))
}

/** Nothing but what a business lists is ever dialled. */
export function routeFinder(settings: Settings, environment: Environment): FindRoute {
  return (business, name, callerNumber) => {
    const listed = business.destinations.find(each => destinationKey(each.name) === destinationKey(name))
    const destination = listed && destinationOf(listed, settings, environment)
    if (!listed || !destination) return undefined
    return {
      target: { dial: dialString(destination) },
      callerId: callerIdFor(listed, settings, callerNumber),
    }
  }
}

/** As the carrier dials it. */
interface CarrierRoute {
  readonly to: { readonly sip: string } | { readonly number: string }
  /** Nothing: one of ours. */
  readonly callerId: string
  readonly ringSeconds: number
  /** As the business has it. */
  readonly destination: string
}

/** By its name, or by its address: nothing but what a business lists is ever dialled by the carrier, either. */
export function carrierRouteFinder(settings: Settings) {
  return (business: Business, asked: string, callerNumber: string): CarrierRoute | undefined => {
    const { destinations } = business
    const listed =
      destinations.find(each => destinationKey(each.name) === destinationKey(asked)) ??
      destinations.find(({ address }) => address === asked)
    const found = listed && readDestination(listed.address, byCarrier(settings.outlets))
    if (!listed || !found || 'problem' in found) return undefined
    const { user, host, port, transport } = found
    const to = isTelephoneNumber(listed.address)
      ? { number: user }
      : { sip: `sip:${user}@${host}:${port};transport=${transport}` }
    const ringSeconds = listed.ringSeconds ?? settings.transfers.ringMs / 1_000
    const { number: callerId } = callerIdFor(listed, settings, callerNumber)
    return { to, callerId, ringSeconds, destination: listed.name }
  }
}

function destinationOf(
  { address, via, username, password }: Listed,
  { outlets }: Settings,
  environment: Environment,
): Destination | undefined {
  if (via === 'carrier') return undefined
  const destination = readDestination(address, outlets)
  if ('problem' in destination) return undefined
  if (username === undefined || password === undefined) return destination
  const variable = passwordVariable(password)
  const revealed = variable === undefined ? undefined : environment[variable]?.trim()
  if (variable === undefined || !revealed) return undefined
  return { ...destination, login: { username, password: revealed, variable } }
}

/** A trunk lets its own numbers call and few others, so a telephone number sees the caller's only where that is asked for. */
function callerIdFor(
  { address, callerId }: Listed,
  { transfers }: Settings,
  callerNumber: string,
): DialRoute['callerId'] {
  const { customNumber, trunkNumber } = transfers
  const usual = isTelephoneNumber(address) && transfers.callerId === 'original' ? 'trunk' : transfers.callerId
  const wanted = callerId ?? usual
  // No trunk lets one call who withholds their number.
  const nobody = callerNumber === '' && isTelephoneNumber(address)
  if (wanted === 'original' && !nobody) return { number: callerNumber }
  if (wanted === 'trunk' || wanted === 'original') return { number: trunkNumber ?? '' }
  return { number: wanted === 'custom' ? (customNumber ?? '') : wanted }
}
