import { pause } from '../clock.ts'
import { asError, GatewayError, isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import { nothingKnown } from './caller-context.ts'
import { CallCapture, type CaptureAnswer } from './captured.ts'
import type { CallDependencies } from './dependencies.ts'
import { Engagement } from './engagement.ts'
import { type CallEvent, type CallFact, keepEvent } from './events.ts'
import { alreadyLive, type CallEffect, type CallInput, type CallState, offered, step, stopOf } from './machine.ts'
import type { CallerContext, Connection, Leg, LegEvent, LineFigures, LiveCall, TransferWish } from './ports.ts'
import { CallRecording } from './recorded.ts'
import { lastSaid } from './said.ts'
import { Transfers } from './transfers.ts'

/** One call from its offer to its end: carries out what the machine decides, and tells each fact once. */
export class Call {
  /** Of its channel. */
  readonly id: string
  /** Of all that is known of the call, whatever its channels are. */
  readonly record: string
  readonly offeredAtMs: number
  readonly ended: Promise<void>
  readonly #leg: Leg
  readonly #with: CallDependencies
  readonly #settleEnded: () => void
  readonly #transfers: Transfers
  readonly #recording: CallRecording
  readonly #capture: CallCapture
  /** The caller is. */
  readonly #gone = Promise.withResolvers<void>()
  readonly #digitListeners = new Set<(digit: string) => void>()
  readonly #holdListeners = new Set<(held: boolean) => void>()
  readonly #events: CallEvent[]
  readonly #beganMs: number
  /** How long it had lasted by then. */
  readonly #earlierMs: number
  #state: CallState
  #engagement: Engagement | undefined
  #answeredMs: number | undefined
  #endedMs: number | undefined
  #recordClosed = false
  #cancelWake = () => {}
  #caller = Promise.resolve(nothingKnown)

  constructor(leg: Leg, dependencies: CallDependencies) {
    this.id = leg.id
    this.record = dependencies.part?.partOf ?? leg.id
    this.#leg = leg
    this.#with = dependencies
    this.#beganMs = dependencies.clock.now()
    const wallMs = dependencies.clock.wallMs()
    const { earlier = [] } = dependencies
    this.#events = [...earlier]
    this.offeredAtMs = earlier[0]?.atMs ?? wallMs
    this.#earlierMs = Math.max(0, wallMs - this.offeredAtMs)
    this.#state = leg.takenOver ? alreadyLive(this.#beganMs) : offered(this.#beganMs)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#settleEnded = resolve
    const emit = (fact: CallFact) => this.#emit(fact)
    const emitAfterwards = (fact: CallFact) => this.#emitAfterwards(fact)
    const { recorder, business, clock } = dependencies
    this.#recording = new CallRecording({
      ...{ call: leg.id, business, clock, recorder, earlier, emit, emitAfterwards },
    })
    this.#capture = new CallCapture({ call: leg.id, clock, recorder, emit, emitAfterwards })
    this.#transfers = new Transfers({
      ...dependencies,
      leg,
      record: dependencies.part?.partOf,
      means: dependencies.transfers,
      emit,
    })
  }

  get state(): CallState['name'] {
    return this.#state.name
  }

  get view() {
    const { business } = this.#with
    const { facts } = this.#leg
    const connection = this.#state.name === 'connected' ? undefined : this.#engagement?.connection
    return {
      id: this.id,
      record: this.record,
      state: this.#state.name,
      reason: 'reason' in this.#state ? this.#state.reason : undefined,
      business: business.id,
      engine: business.engine,
      offeredAtMs: this.offeredAtMs,
      durationMs: this.#durationMs,
      codec: facts.law,
      channels: { caller: this.id, media: connection?.channel },
      bridge: connection?.bridge,
      ports: connection?.ports,
      callerNumber: facts.callerNumber,
      parameters: facts.parameters,
      transferredTo: this.#transfers.destination,
    }
  }

  get #durationMs(): number {
    return Math.round(this.#earlierMs + (this.#endedMs ?? this.#with.clock.now()) - this.#beganMs)
  }

  get events(): readonly CallEvent[] {
    return this.#events
  }

  /** Told by another, when the record is closed; also of a call whose events are more than are kept. */
  foundLater(event: CallEvent): void {
    if (this.#events.length <= limits.call.eventsKept) this.#events.push(event)
  }

  /** Of the line while there is one, and what it came to afterwards. */
  async figures(): Promise<LineFigures | undefined> {
    return this.#engagement?.figures()
  }

  /** Begins the call; everything else happens by events. */
  begin(): void {
    const { scope, business, part, doubts } = this.#with
    scope.onClose(() => this.#leg.close())
    const { calledUser, requestUri, parameters, headers, callerNumber, law } = this.#leg.facts
    this.#emit({
      name: 'offered',
      engine: business.engine,
      codec: law,
      ...part,
      private: { callerNumber, calledUser, requestUri, parameters, headers },
    })
    for (const doubt of doubts) this.#emit({ name: 'degraded', ...doubt })
    if (this.#leg.takenOver) {
      this.#answeredMs = this.#beganMs
      this.#emit({ name: 'takenOver' })
    }
    this.#armTimeout()
    this.#leg.onEvent(event => this.#onLegEvent(event))
    this.#caller = this.#knowCaller()
    void this.#caller.then(({ name }) => {
      this.#transfers.callerName ??= name
    })
    this.#engage()
  }

  hangUp(by: 'operator' | 'drain'): void {
    this.#input({ kind: by === 'operator' ? 'operatorHungUp' : 'drained' })
  }

  /** By name. */
  get destinations(): readonly string[] {
    return this.#with.business.destinations.map(({ name }) => name)
  }

  /** An operator wants the caller transferred, or back; false when its agent does not see to it. */
  askTransfer(asked: TransferWish | 'back'): boolean {
    return this.#transfers.ask(asked)
  }

  /** For good; false where nothing is recorded. */
  stopRecording(): boolean {
    return this.#recording.stop()
  }

  /** Each stage of its sound, for so long. */
  capture(seconds: number): CaptureAnswer {
    const isHeard = this.#state.name === 'live' || this.#state.name === 'transferring'
    return this.#capture.begin(isHeard ? this.#engagement?.line : undefined, seconds)
  }

  /** While it rings, and together with all that the agent opens. */
  #knowCaller(): Promise<CallerContext> {
    const { knowCaller, scope, business } = this.#with
    return knowCaller({ id: this.id, facts: this.#leg.facts, business, emit: fact => this.#emit(fact) }, scope.signal)
  }

  #engage(returned = false): void {
    const { scope, handler } = this.#with
    const engagement: Engagement = new Engagement({
      ...this.#with,
      leg: this.#leg,
      scope: scope.child('engagement'),
      run: (line, own) => handler(this.#liveCall(engagement, { line, returned }), own),
      done: outcome => this.#input({ kind: 'agentDone', outcome }),
      failed: error => {
        // Whoever waits for the answer of a call that is ending is told so; that is no failure.
        if (this.#state.name === 'ending' && isCode(error, 'CHANNEL_GONE')) return
        this.#fail(error)
      },
      closed: figures => {
        if (figures) this.#emit({ name: 'mediaClosed', figures })
      },
    })
    this.#engagement = engagement
    void engagement.begin()
  }

  #liveCall(engagement: Engagement, own: Pick<LiveCall, 'line' | 'returned'>): LiveCall {
    return {
      id: this.id,
      facts: this.#leg.facts,
      caller: this.#caller,
      business: this.#with.business,
      takenOver: this.#leg.takenOver,
      again: this.#with.part?.again ?? false,
      outbound: this.#with.part?.outbound ?? false,
      saidBefore: lastSaid(this.#with.earlier ?? []),
      ...own,
      answer: () => {
        if (this.#answeredMs === undefined) this.#input({ kind: 'agentReady' })
        else void this.#carryOut([{ kind: 'answer' }])
        return engagement.answered
      },
      onDigit: listener => {
        this.#digitListeners.add(listener)
        return () => this.#digitListeners.delete(listener)
      },
      onHold: listener => {
        this.#holdListeners.add(listener)
        return () => this.#holdListeners.delete(listener)
      },
      sendDigits: async digits => {
        await this.#leg.sendDigits(digits)
        this.#emit({ name: 'digitsSent', private: { digits } })
      },
      transfer: async (wish, party, signal) => {
        if (this.#state.name === 'ending' || this.#state.name === 'ended') return 'callerGone'
        const live = this.#state.name === 'live' && engagement === this.#engagement
        if (!live) return this.#transfers.refuse(`The call is ${this.#state.name}.`)
        this.#input({ kind: 'transferStarted', byCarrier: this.#transfers.isByCarrier(wish) })
        const outcome = await this.#transfers.run(wish, party, signal)
        this.#input({ kind: 'transferSettled', connected: outcome === 'connected' })
        return outcome
      },
      onTransferAsked: listener => this.#transfers.onAsked(listener),
      emit: fact => this.#emit(fact),
      ...(this.#with.recorder && { recorder: this.#with.recorder, recording: this.#recording.forAgent }),
    }
  }

  #onLegEvent(event: LegEvent): void {
    // What they do to each other is not ours to know.
    if (this.#state.name === 'connected' && event.kind !== 'gone' && event.kind !== 'returned') return
    switch (event.kind) {
      case 'digit':
        this.#emit({ name: 'digitPressed', private: { digit: event.digit } })
        this.#engagement?.line?.digitReleased(event.heldMs)
        for (const listener of this.#digitListeners) listener(event.digit)
        return
      case 'held':
      case 'unheld':
        this.#emit({ name: event.kind })
        for (const listener of this.#holdListeners) listener(event.kind === 'held')
        return
      case 'mediaLost':
        return this.#emit({ name: 'degraded', code: 'MEDIA_FAILED', detail: event.detail })
      case 'mediaReplaced':
        return this.#opened(event.connection)
      case 'mediaFailed':
        return this.#fail(new GatewayError('MEDIA_FAILED', event.detail))
      case 'returned':
        return this.#input({ kind: 'returned' })
      case 'gone':
        this.#gone.resolve()
        return this.#input({ kind: 'callerGone', how: event.how })
    }
  }

  #input(input: CallInput): void {
    const [state, effects] = step(this.#state, input, this.#with.clock.now())
    const before = this.#state
    this.#state = state
    // A timer may come a little early: then it is set again for what is left.
    if (state === before) return input.kind === 'timePassed' ? this.#armTimeout() : undefined
    if (before.name === 'transferring') this.#transfers.stop(stopOf(state))
    if (state.name === 'ended') return this.#end(state.reason)
    this.#armTimeout()
    void this.#carryOut(effects)
  }

  #fail(error: Error): void {
    if (this.#with.scope.closed) return
    const code = error instanceof GatewayError ? error.code : 'BUG'
    this.#emit({ name: 'degraded', code, detail: error.message })
    this.#input({ kind: 'failed', reason: code })
  }

  async #carryOut(effects: readonly CallEffect[]): Promise<void> {
    for (const effect of effects) {
      try {
        await this.#carryOutOne(effect)
      } catch (error) {
        // A caller who hangs up while we act on the channel is no failure: the leg tells that they are gone.
        if (isCode(error, 'CHANNEL_GONE')) continue
        this.#fail(asError(error))
      }
    }
  }

  async #carryOutOne(effect: CallEffect): Promise<void> {
    switch (effect.kind) {
      case 'answer':
        return this.#answer()
      case 'awaitLastWord':
        return pause(this.#with.clock, limits.call.lastWordMs, this.#with.scope.signal).catch(() => {})
      case 'hangup':
        // Who goes meanwhile need not be hung up any more, and is not spoken to.
        return Promise.race([this.#leg.hangup(effect.cause), this.#gone.promise])
      case 'handBack':
        await this.#leg.handBack(effect.reason)
        return this.#emit({ name: 'handedBack', reason: effect.reason })
      case 'disengage':
        this.#recording.end('transferred')
        this.#capture.end('transferred')
        return this.#engagement?.close()
      case 'engage':
        return this.#takeBack()
      case 'release':
        return this.#release()
    }
  }

  async #answer(): Promise<void> {
    const engagement = this.#engagement
    const connection = await engagement?.connected
    if (!engagement || !connection || this.#with.scope.closed) return
    this.#opened(connection)
    if (this.#answeredMs === undefined) {
      await this.#leg.answer()
      this.#answeredMs = this.#with.clock.now()
      const setUpMs = Math.round(this.#with.clock.now() - this.#beganMs)
      this.#emit({ name: 'answered', setUpMs, ...(this.#with.part?.again && { again: true }) })
      this.#input({ kind: 'answered' })
    }
    if (engagement.line) this.#recording.heardBy(engagement.line)
    engagement.settleAnswered()
  }

  #opened(connection: Connection): void {
    if (this.#engagement) this.#engagement.connection = connection
    this.#emit({ name: 'mediaOpened', ...connection })
  }

  async #takeBack(): Promise<void> {
    this.#emit({ name: 'returned' })
    this.#transfers.release()
    await this.#engagement?.close()
    // Who has gone meanwhile is not spoken to.
    if (this.#state.name === 'live') this.#engage(true)
  }

  async #release(): Promise<void> {
    this.#recording.close()
    this.#capture.end('callEnded')
    await this.#engagement?.close()
    await this.#with.scope.close()
    this.#input({ kind: 'released' })
  }

  #end(reason: Extract<CallState, { name: 'ended' }>['reason']): void {
    this.#cancelWake()
    this.#transfers.release()
    this.#digitListeners.clear()
    this.#holdListeners.clear()
    this.#endedMs = this.#with.clock.now()
    const since = this.#answeredMs
    const answered = since === undefined ? {} : { answeredMs: Math.round(this.#endedMs - since) }
    this.#emit({ name: 'ended', reason, durationMs: this.#durationMs, ...answered })
    this.#settleEnded()
  }

  #armTimeout(): void {
    this.#cancelWake()
    if (this.#state.name === 'ended') return
    const waitMs = this.#state.untilMs - this.#with.clock.now()
    this.#cancelWake = this.#with.clock.after(waitMs, () => this.#input({ kind: 'timePassed' }))
  }

  #emit(fact: CallFact): void {
    // The end closes the record, whatever is still on its way or took longer than it may.
    if (this.#recordClosed) return
    this.#recordClosed = fact.name === 'ended'
    if (fact.name === 'callerNamed') this.#transfers.callerName = fact.private.name
    this.#emitAfterwards(fact)
  }

  #emitAfterwards(fact: CallFact): void {
    const event = { call: this.id, business: this.#with.business.id, atMs: this.#with.clock.wallMs(), fact }
    keepEvent(this.#events, event)
    this.#with.observe(event)
  }
}
