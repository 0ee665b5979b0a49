import type { CallFact, TransferMode, TransferOutcome } from '../../src/call/events.ts'
import type { FarParty, Handler, LiveCall, TransferWish } from '../../src/call/ports.ts'
import { FakeLeg } from '../support/fake-leg.ts'
import { business, type HouseOptions, house, RING_MS } from './house.ts'

/** A call whose agent does nothing but what a test has it do about a transfer. */

export const withDestinations = {
  ...business,
  destinations: [
    { name: 'reception', address: 'sip:2000@192.0.2.10', mode: 'blind' as const },
    { name: 'billing', address: 'sip:2001@192.0.2.10', mode: 'attended' as const, ringSeconds: 10 },
  ],
}

export function stage(options: HouseOptions = {}) {
  const told: string[] = []
  const outcomes: TransferOutcome[] = []
  const answers: ((answer: 'accepted' | 'declined') => void)[] = []
  const handled: LiveCall[] = []
  /** Of the agent's part in each. */
  const agentSignals: AbortSignal[] = []
  const far: { party?: FarParty; signal?: AbortSignal } = {}
  const handler: Handler = async (call, scope) => {
    handled.push(call)
    agentSignals.push(scope.signal)
    await call.answer()
    const away = Promise.withResolvers<void>()
    scope.signal.addEventListener('abort', () => away.reject(scope.signal.reason))
    return Promise.race([connected.promise.then(() => ({ kind: 'transferred' }) as const), away.promise as never])
  }
  let connected = Promise.withResolvers<void>()
  const party = {
    rings: () => told.push('rings'),
    ownSound: (heard: boolean) => told.push(`own sound ${heard}`),
    brief: (party: FarParty, signal: AbortSignal) => {
      Object.assign(far, { party, signal })
      told.push('brief')
      return new Promise<'accepted' | 'declined'>((resolve, reject) => {
        answers.push(resolve)
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    },
  }
  const parts = house(handler, { addressee: { business: withDestinations }, ...options })
  const { clock } = parts
  const leg = new FakeLeg('c1')

  /** Settles when it has begun, or was refused. */
  const transfer = async (wish: Partial<TransferWish> = {}, signal = new AbortController().signal) => {
    const asked = { destination: 'reception', by: 'agent', ...wish } as const
    const outcome = handled.at(-1)!.transfer(asked, party, signal)
    void outcome.then(settled => {
      outcomes.push(settled)
      if (settled !== 'connected') return
      connected.resolve()
      connected = Promise.withResolvers()
    })
    await clock.settle()
  }
  const far1 = () => leg.dialled.at(-1)!
  const happen = async (event: Parameters<ReturnType<typeof far1>['happen']>[0]) => {
    far1().happen(event)
    await clock.settle()
  }
  /** Whoever was briefed last does. */
  const decide = (answer: 'accepted' | 'declined') => answers.at(-1)?.(answer)
  const answerBriefing = async (answer: 'accepted' | 'declined') => {
    decide(answer)
    await clock.settle()
  }
  const transfers = (): CallFact[] => parts.factsOf('c1').filter(({ name }) => name.startsWith('transfer'))
  return {
    ...parts,
    leg,
    told,
    outcomes,
    handled,
    agentSignals,
    far,
    transfer,
    far1,
    happen,
    decide,
    answerBriefing,
    transfers,
  }
}

export type Stage = ReturnType<typeof stage>

/** The events that lead to each step of a transfer, in order. */
export const steps = ['dialling', 'ringing', 'own sound', 'answered', 'briefing', 'joining'] as const
export type TransferStep = (typeof steps)[number]

/** Brings a transfer there; what is asked of the channels from then on does not settle where the step waits for it. */
export async function bringTo(step: TransferStep, mode: TransferMode, at: Stage): Promise<void> {
  const { leg, happen, answerBriefing } = at
  const reached = steps.indexOf(step)
  const holds = (name: TransferStep) => {
    if (name === step) leg.took = () => new Promise(() => {})
  }
  void at.transfer({ mode })
  await at.clock.settle()
  if (reached >= 1) await happen({ kind: 'ringing' })
  if (step === 'own sound') await happen({ kind: 'ownSound' })
  if (reached < 3) return
  holds(mode === 'blind' ? 'joining' : 'answered')
  await happen({ kind: 'answered' })
  if (mode === 'blind' || reached < 5) return
  holds('joining')
  await answerBriefing('accepted')
}

export { RING_MS }
