import { type Clock, every, pause } from '../../clock.ts'
import { onDisk } from '../../debian/disk.ts'
import { asError, GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { TrunkAddresses } from './addresses.ts'
import { askConsole, type Place } from './console.ts'
import { endProcess, findInstance, forgetInstance, type Instance, isAlive } from './instance.ts'
import { answersAri, type Launched, launch } from './launch.ts'
import { logFile, replaceFiles } from './layout.ts'
import { keepLogsSmall } from './logs.ts'
import { hasMusic } from './music.ts'
import { requirePortsFree } from './ports.ts'
import type { AsteriskProgram } from './program.ts'
import { configurationMark, renderConfiguration } from './render.ts'
import { resolveDestinations } from './resolve.ts'
import type { AsteriskSettings } from './settings.ts'

export interface AsteriskOptions {
  readonly program: AsteriskProgram
  readonly settings: AsteriskSettings
  readonly trunk: TrunkAddresses
  readonly clock: Clock
  readonly random: () => number
  readonly progress: (text: string) => void
  /** It ended by itself; it is being started again. */
  readonly onDied: (reason: string) => void
  /** It takes calls: after `start`, and after each death. */
  readonly onStarted: (instance: { readonly pid: number; readonly adopted: boolean }) => void
}

/**
 * An Asterisk that belongs to the gateway and may outlive it. After a killed gateway it goes on and serves the fallback;
 * the next start takes it over when its configuration is still the one wanted.
 */
export class AsteriskProcess {
  readonly #options: AsteriskOptions
  readonly #place: Place
  readonly #stopping = new AbortController()
  #rendered: ReadonlyMap<string, string> = new Map()
  #mark = ''
  #instance: Instance | undefined
  #unwatch = () => {}
  #deaths = 0
  #startedMs = 0
  /** The start or restart that is under way. */
  #launching: Promise<void> = Promise.resolve()

  constructor(options: AsteriskOptions) {
    this.#options = options
    this.#place = options
  }

  get settings(): AsteriskSettings {
    return this.#options.settings
  }

  /** For callers who wait. */
  get hasMusic(): boolean {
    return hasMusic(this.#options.program)
  }

  get pid(): number | undefined {
    return this.#instance?.pid
  }

  /** Settles when calls would be taken. */
  start(): Promise<void> {
    const start = this.#adoptOrLaunch()
    this.#launching = start.catch(() => {})
    return start
  }

  /** Ends it and whatever it started. Never rejects; later deaths and starts are told no more. */
  async stop(): Promise<void> {
    this.#stopping.abort(new GatewayError('ASTERISK_FAILED', 'Asterisk is being stopped.'))
    await this.#launching
    this.#unwatch()
    const instance = this.#instance
    this.#instance = undefined
    if (!instance) return
    await endProcess(instance, this.#options.clock, limits.asterisk.stopMs)
    await forgetInstance(this.#options.settings)
  }

  /**
   * Leaves it to the callers who are still in it, if there are any: it takes no new ones and ends with the last. Their time
   * is the dialplan's. Later deaths and starts are told no more; `stop` still ends it.
   */
  async leaveToCallers(): Promise<boolean> {
    const { progress } = this.#options
    this.#stopping.abort(new GatewayError('ASTERISK_FAILED', 'Asterisk is being stopped.'))
    await this.#launching
    const instance = this.#instance
    if (!instance || !(await this.#hasCallers())) return false
    this.#unwatch()
    // It answers only when it ends: at once where the last channel was just about to go.
    await askConsole(this.#place, 'core stop gracefully')
    if (!isAlive(instance)) return false
    progress(`callers still talk: Asterisk ends with the last of them, or at once by: kill ${instance.pid}`)
    return true
  }

  /** Some of its configuration from now on, also of the next one after a death; read only when it is told to. */
  async rewrite(files: ReadonlyMap<string, string>): Promise<void> {
    const { directory } = this.#options.settings
    this.#rendered = new Map([...this.#rendered, ...files])
    await onDisk(directory, () => replaceFiles(directory, files))
  }

  async #adoptOrLaunch(): Promise<void> {
    const { settings, program, trunk, progress } = this.#options
    const destinations = await resolveDestinations(settings, progress)
    this.#rendered = renderConfiguration({ settings, program, trunk, destinations })
    this.#mark = configurationMark(this.#rendered, program.command)
    const running = await findInstance(settings.directory)
    if (running && running.mark === this.#mark && (await answersAri(settings))) {
      // It may be about to end with its last caller.
      await askConsole(this.#place, 'core abort shutdown')
      this.#watch(running)
      this.#options.onStarted({ pid: running.pid, adopted: true })
      return
    }
    if (running) await this.#endAfterCalls(running)
    await onDisk(settings.directory, () => forgetInstance(settings))
    await requirePortsFree(settings)
    await this.#launch()
  }

  async #launch(): Promise<void> {
    const launched = await launch(this.#place, this.#rendered, this.#mark, this.#stopping.signal)
    this.#watch(launched.instance, launched)
    this.#options.onStarted({ pid: launched.instance.pid, adopted: false })
  }

  #watch(instance: Instance, launched?: Launched): void {
    const { clock, settings } = this.#options
    this.#instance = instance
    this.#startedMs = clock.now()
    const ended = () => {
      if (this.#stopping.signal.aborted || this.#instance !== instance || isAlive(instance)) return
      this.#unwatch()
      this.#instance = undefined
      this.#launching = this.#restart(instance)
    }
    launched?.child.once('exit', ended)
    // The end of a process that is not a child is told to nobody.
    const unwatchProcess = every(clock, limits.asterisk.watchMs, ended)
    const unwatchLogs = keepLogsSmall(settings, clock, () => askConsole(this.#place, 'logger rotate'))
    this.#unwatch = () => {
      unwatchProcess()
      unwatchLogs()
    }
  }

  /** Never gives up: a gateway without its Asterisk is of no use, and the reason may pass. */
  async #restart(dead: Instance): Promise<void> {
    const { clock, settings, onDied, progress } = this.#options
    onDied(`Asterisk (process ${dead.pid}) ended by itself; its log is ${logFile(settings.directory)}.`)
    if (clock.now() - this.#startedMs >= limits.asterisk.stableMs) this.#deaths = 0
    while (!this.#stopping.signal.aborted) {
      try {
        await pause(clock, this.#backoffMs(), this.#stopping.signal)
        await this.#launch()
        return
      } catch (error) {
        if (!this.#stopping.signal.aborted) progress(`Asterisk could not be started again: ${asError(error).message}`)
      }
    }
  }

  #backoffMs(): number {
    const { first, most } = limits.asterisk.restartBackoffMs
    const fullMs = Math.min(most, first * 2 ** Math.min(this.#deaths++, 16))
    return fullMs * (0.5 + this.#options.random() / 2)
  }

  /** Whoever calls meanwhile is served by its fallback, as while no gateway was there. */
  async #endAfterCalls(running: Instance): Promise<void> {
    const { clock, progress } = this.#options
    progress(
      'the running Asterisk has another configuration or does not answer; it is restarted when its calls have ended',
    )
    const untilMs = clock.now() + limits.asterisk.callsEndMs
    while (isAlive(running) && clock.now() < untilMs && (await this.#hasCallers())) {
      await pause(clock, limits.asterisk.watchMs, this.#stopping.signal)
    }
    await endProcess(running, clock, limits.asterisk.stopMs)
  }

  /** Media channels of a gateway that is no more would stay for ever: only what came by SIP counts. */
  async #hasCallers(): Promise<boolean> {
    const channels = await askConsole(this.#place, 'core show channels concise')
    return channels !== undefined && /^PJSIP\//m.test(channels)
  }
}
