import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import type { Business } from './business.ts'
import { addresseeOf } from './call/addressee.ts'
import { Admission } from './call/admission.ts'
import { type ContextSources, callerContext } from './call/caller-context.ts'
import type { CallEvent } from './call/events.ts'
import { Exchange } from './call/exchange.ts'
import { type Journal, openJournal } from './call/journal.ts'
import type { CallFacts, Redirect } from './call/ports.ts'
import { transferredUntil, type UnfinishedCall, unfinishedCalls } from './call/unfinished.ts'
import { askOptions } from './caller/ask.ts'
import { systemClock } from './clock.ts'
import { businessDefaults, type Config } from './config.ts'
import { routeFinder } from './destinations.ts'
import { asError, GatewayError } from './errors.ts'
import { limits } from './limits.ts'
import type { Log } from './log.ts'
import { asteriskOf, type Surroundings } from './own-asterisk.ts'
import { askedWork, cleanDaily, deletingIn, soundParts } from './own-kept.ts'
import { lookForRecordings, recordersOf, sweepOldCaptures, type Talks } from './own-recording.ts'
import { twilioEdge, twilioLegs } from './own-twilio.ts'
import { ownVoicemail } from './own-voicemail.ts'
import { type Work, workOf } from './own-work.ts'
import { openPlane } from './plane/open-plane.ts'
import { Scope } from './scope.ts'
import { apiTokenSecret, ariPasswordSecret, foreignAriPassword, keptSecret } from './secret.ts'
import { callMetrics } from './server/call-metrics.ts'
import type { ServerDependencies } from './server/dependencies.ts'
import { buildServer } from './server/server.ts'
import { holdStateDir, type StateDir } from './state-dir.ts'
import { earlierCalls } from './store/callers.ts'
import { Directory } from './store/directory.ts'
import { recordsIn } from './store/records.ts'
import { SnapshotFile } from './store/snapshot.ts'
import { Store, type StoreDependencies } from './store/store.ts'
import { asteriskPorts } from './telephony/asterisk/media-ports.ts'
import { watchAddress } from './telephony/asterisk/settings.ts'
import { SipWatch } from './telephony/sip-watch.ts'
import { createTelephony, type TelephonyOptions } from './telephony/telephony.ts'

export interface Gateway {
  readonly httpAddress: string
  /** As it was when it started. */
  readonly business: Business
  /** Takes no new calls, lets running ones finish up to their limit or until it must hurry, then gives everything back. */
  close(hurrying?: AbortSignal): Promise<void>
}

const never = new AbortController().signal

/**
 * Builds everything, wires it, and starts it; what fails on the way leaves nothing behind. It fails when it is told to stop
 * meanwhile, for it may wait for ever: for an Asterisk that never comes.
 */
export async function startGateway(surroundings: Surroundings, stopping = never): Promise<Gateway> {
  const { log, config } = surroundings
  const scope = new Scope('gateway', (err, name) => log.error({ err, scope: name }, 'something could not be released'))
  try {
    const { exchange, hurry, ...started } = await Promise.race([build(surroundings, scope), rejectedBy(stopping)])
    return {
      ...started,
      async close(hurrying = never) {
        void rejectedBy(hurrying).catch(hurry)
        await Promise.race([exchange.drain(config.timing.drainMs), rejectedBy(hurrying).catch(() => {})])
        await scope.close()
      },
    }
  } catch (error) {
    await scope.close(error)
    throw error
  }
}

async function rejectedBy(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort')
  throw signal.reason
}

async function build(surroundings: Surroundings, scope: Scope) {
  const { config, log } = surroundings
  const clock = systemClock
  const state = await holdStateDir(config.stateDir)
  scope.onClose(() => state.release())
  const journal = await openJournal({ directory: join(state.path, 'journal'), clock, trouble: text => log.error(text) })
  scope.onClose(() => journal.close())
  const unfinished = leftOpen(journal, log)
  const store = storeOf(config, state, journal, log, scope, {
    opened: () => directory.open(),
    work: { wantedBy: (...of) => work.wantedBy(...of), wanted: kinds => work.wanted(kinds) },
  })
  const directory = directoryOf(surroundings, state, store, () => asterisk.destinationsChanged())
  scope.onClose(() => directory.close())
  const registry = new Registry()
  const observe = observer(journal, callMetrics(registry), log)
  const media = openPlane({ forbiddenPorts: asteriskPorts(config.rtp), onTrouble: text => log.error(text) })
  scope.onClose(() => media.close())
  const recorders = recordersOf(state, media, log, scope)
  sweepOldCaptures(state, log, scope)
  const ari = await ariSettings(config, state)
  const admission = new Admission(config.rtp, config.maxCalls, () => telephony.outsiders)

  // Made before telephony, so that it is stopped after it; started when everything else stands ready.
  const asterisk = asteriskOf(surroundings, state, scope, { ari, maxCalls: admission.maxCalls, directory })
  const telephony = telephonyOf(surroundings, scope, {
    ari,
    onConnected: () => asterisk.connected(),
    onVoicemail: left => voicemail.adopt(left),
  })
  const voicemail = ownVoicemail(surroundings, {
    ...{ state, journal, store, directory, scope, earlierLife: unfinished.eventsOf },
    ...{ storeOpened: () => storeOpened, exchange: () => exchange },
  })
  const legs = twilioLegs(surroundings)
  const parties = { ...legs, scope, observe, telephony, plane: media, recorders, admission }
  const redirect: Redirect = (wish, signal) => twilio.redirect(wish, signal)
  const asked = askedPerCall(surroundings, directory, store, { redirect, hasMusic: () => asterisk.hasMusic })
  const exchange: Exchange = new Exchange({ ...parties, ...asked, ...voicemail.serving })
  const sources = { exchange, telephony, admission, journal, store, directory, media, recorders, registry }
  const deleteSound = deletingIn({ state, journal, store, observe })
  const kept = { state, journal, store, directory, observe, exchange, telephony, deleteSound, scope }
  const twilio = twilioEdge(surroundings, { ...kept, legs })
  const work: Work = workOf(surroundings, { ...kept, texts: twilio.texts, registry })
  const want = askedWork(store, work)
  const sounds = soundParts(state, { deleteSound, exchange, store })
  const httpAddress = await serve(surroundings, state, { ...sources, ...twilio, ...sounds, work, want }, scope)

  const storeOpened = store.open()
  // Told below; until then it must not count as unhandled.
  storeOpened.catch(() => {})
  await surroundings.prepare(directory.standard)
  scope.signal.throwIfAborted()
  await asterisk.start()
  // Callers of an earlier life wait for a word, and nothing of a call waits for the database.
  await unfinished.known
  await voicemail.lookForUntold()
  await telephony.start()
  tellEnds(unfinished.ends(), telephony, call => exchange.find(call) !== undefined, observe)
  await storeOpened
  lookForRecordings({ state, store, exchange, telephony, log }, scope)
  twilio.desk.start()
  work.start()
  cleanDaily(want, { store, home: journal.id }, scope)
  asterisk.destinationsChanged()
  return { exchange, hurry: asterisk.hurry, httpAddress, business: directory.standard }
}

function telephonyOf(
  { config, log }: Surroundings,
  scope: Scope,
  { ari, onConnected, onVoicemail }: Pick<TelephonyOptions, 'ari' | 'onVoicemail'> & { onConnected: () => void },
) {
  return createTelephony({
    ...{ ari, leaseMs: config.timing.leaseMs, clock: systemClock, random: Math.random, onVoicemail },
    scope: scope.child('telephony'),
    onState: (ready, words) => {
      log[ready ? 'info' : 'warn'](words)
      if (ready) onConnected()
    },
    onTrouble: error => log.error({ code: error.code }, error.message),
  })
}

/** What a call asks for when it comes, and while it is up. */
function askedPerCall(
  { config, environment, lookUp, announce }: Surroundings,
  directory: Directory,
  store: Store,
  means: { readonly redirect: Redirect; readonly hasMusic: () => boolean },
) {
  const clock = systemClock
  return {
    clock,
    addressee: (facts: CallFacts) => addresseeOf(facts, directory.upToDate()),
    knowCaller: callerContext({ clock, earlierCalls: earlierCallsIn(store), lookUp }),
    transfers: {
      ringMs: config.transfers.ringMs,
      announce,
      route: routeFinder(config, environment),
      ...means,
    },
  }
}

type Served = Omit<ServerDependencies, 'sip' | 'clock' | 'log' | 'token' | 'version'>

async function serve(
  { config, log }: Surroundings,
  { path }: StateDir,
  sources: Served,
  scope: Scope,
): Promise<string> {
  const token = await keptSecret(path, apiTokenSecret, config.apiToken?.reveal())
  const external = config.asterisk === 'external'
  const sip = external ? undefined : watchSip(config, sources.telephony, log, scope.child('sip'))
  const server = buildServer({ ...sources, sip, clock: systemClock, log, token, version: version() })
  scope.onClose(() => server.close())
  return listen(server, config)
}

function directoryOf(
  { prepare, ...surroundings }: Surroundings,
  state: StateDir,
  store: Store,
  changed: () => void,
): Directory {
  const { config, log } = surroundings
  return new Directory({
    defaults: businessDefaults(surroundings),
    nothingChosen: config.business.nothingChosen,
    snapshot: new SnapshotFile(join(state.path, 'businesses.json'), systemClock, text => log.error(text)),
    records: recordsIn(store),
    shared: config.databaseUrl !== undefined,
    clock: systemClock,
    told: text => log.info(text),
    trouble: text => log.error(text),
    changed(now, before) {
      log.info({ business: now.id }, before ? 'a business has changed' : 'a business is new')
      changed()
      // The first call for it does not wait, and what is missing is told before a caller meets it.
      if (now.active) prepare(now).catch(error => log.error({ business: now.id }, asError(error).message))
    },
  })
}

/** Asterisk away is a reason of its own, and told as such. */
function watchSip({ sip }: Config, telephony: { readonly ready: boolean }, log: Log, scope: Scope): SipWatch {
  const target = { address: '127.0.0.1', port: sip.tcpPort }
  const options = {
    target,
    transport: 'tcp',
    localAddress: watchAddress,
    withinMs: limits.asterisk.sipWatch.answerMs,
  } as const
  const look = () => askOptions({ clock: systemClock, random: Math.random }, options)
  return new SipWatch({
    clock: systemClock,
    scope,
    look: async () =>
      !telephony.ready ||
      (await look().then(
        () => true,
        () => false,
      )),
    changed: answered => log[answered ? 'info' : 'error'](answered ? 'SIP is answered again' : 'SIP is not answered'),
  })
}

function storeOf(
  config: Config,
  state: StateDir,
  journal: Journal,
  log: Log,
  scope: Scope,
  more: Pick<StoreDependencies, 'opened' | 'work'>,
): Store {
  const store = new Store({
    url: config.databaseUrl?.reveal(),
    folder: join(state.path, 'database'),
    source: journal,
    clock: systemClock,
    trouble: text => log.error(text),
    ...more,
  })
  scope.onClose(async () => {
    await journal.flushed().catch(() => {})
    await store.close()
  })
  return store
}

/** Read before any of this life is written; told when it is known which of them go on. */
function leftOpen(journal: Journal, log: Log) {
  let calls: ReadonlyMap<string, UnfinishedCall> = new Map()
  const take = (found: typeof calls) => {
    calls = found
  }
  const failed = (err: unknown) =>
    log.error({ err }, 'which calls an earlier life of the gateway left open is not known')
  return {
    known: unfinishedCalls(journal).then(take, failed),
    eventsOf: (call: string) => calls.get(call)?.events ?? [],
    ends: () => [...calls.values()].map(({ end }) => end),
  }
}

/** Of calls that are not here; where the caller talks with somebody else, once that is over. */
function tellEnds(
  ends: readonly CallEvent[],
  telephony: Talks,
  isHere: (call: string) => boolean,
  observe: (event: CallEvent) => void,
): void {
  for (const end of ends.filter(({ call }) => !isHere(call))) {
    const talked = telephony.talking(end.call)
    if (!talked) observe(end)
    else void talked.then(() => isHere(end.call) || observe(transferredUntil(end, systemClock.wallMs())))
  }
}

/** Nothing is asked while the database is known to be away. */
function earlierCallsIn(store: Store): ContextSources['earlierCalls'] {
  return ({ business: { id: business }, facts: { callerNumber } }) =>
    store.failing ? undefined : store.ask(db => earlierCalls(db, { business }, callerNumber))
}

/** The record's projections: what happened stands in the journal first. */
function observer(journal: Journal, count: (event: CallEvent) => void, log: Log): (event: CallEvent) => void {
  return event => {
    journal.append(event)
    count(event)
    const { name, ...details } = event.fact
    log.info({ call: event.call, business: event.business, ...details }, name)
  }
}

async function ariSettings({ ari, asterisk }: Config, { path }: StateDir) {
  const given = ari.password?.reveal()
  const password =
    asterisk === 'external' ? await foreignAriPassword(path, given) : await keptSecret(path, ariPasswordSecret, given)
  const url = ari.url ?? `http://127.0.0.1:${ari.port}`
  return { url, port: ari.port, username: ari.username, password, app: ari.app }
}

async function listen(server: FastifyInstance, { http }: Config): Promise<string> {
  try {
    return await server.listen({ host: http.host, port: http.port })
  } catch (error) {
    const words = {
      EADDRINUSE: 'is taken: another program, or another Parley, listens there',
      EACCES: 'may not be opened by this user; choose one above 1023',
      EADDRNOTAVAIL: 'cannot be opened: the address is none of this machine',
      ENOTFOUND: 'cannot be opened: nobody knows that name',
      EAI_AGAIN: 'cannot be opened: nobody knows that name just now',
    }[String((error as NodeJS.ErrnoException).code)]
    if (!words) throw error
    throw new GatewayError(
      'PORT_TAKEN',
      `${http.host}:${http.port} ${words}. End that program, or set HTTP_HOST and HTTP_PORT.`,
      { cause: error },
    )
  }
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return String(JSON.parse(manifest).version)
}
