import type { FakeAri, FakeRequest, Fault } from '../support/fake-ari.ts'
import type { Gateway } from './harness.ts'

/** Runs it while time passes: a request that is never answered ends by its time limit. */
export async function whileTimePasses(parley: Gateway, call: Promise<unknown>): Promise<void> {
  let done = false
  void call.finally(() => {
    done = true
  })
  while (!done) await parley.pass(1_000)
}

export const isOf = ({ path, query }: FakeRequest, id: string) =>
  path.includes(id) || ['channelId', 'eventSource'].some(name => query.get(name)?.includes(id))

export interface Injury {
  before?(asterisk: FakeAri, id: string, parley: Gateway): Fault | undefined
  after?(asterisk: FakeAri, id: string): void
  /** An answer is lost or a removal refused: some of it may be left to the sweep. */
  readonly sweep?: true
}

/** What may go wrong with a request, and with the caller while it is under way. */
export const injuries: Record<string, Injury> = {
  'the caller hangs up before it is carried out': { before: (asterisk, id) => void asterisk.hangUp(id) },
  'the caller hangs up when it is carried out': { after: (asterisk, id) => asterisk.hangUp(id) },
  'the caller hangs up, and it is carried out late': {
    before: (asterisk, id, parley) => {
      asterisk.hangUp(id)
      return { before: parley.ioTurns() }
    },
  },
  'the dialplan takes the caller before it is carried out': { before: (asterisk, id) => void asterisk.takeBack(id) },
  'the dialplan takes the caller when it is carried out': { after: (asterisk, id) => asterisk.takeBack(id) },
  'Asterisk refuses it': { before: () => ({ status: 500 }), sweep: true },
  'the connection breaks before it is carried out': { before: () => 'drop', sweep: true },
  'its answer is garbage': { before: () => 'garbage', sweep: true },
  'it is never carried out nor answered': { before: () => 'hang', sweep: true },
  'it is carried out and never answered': { before: () => 'hangAfter', sweep: true },
  'the caller hangs up, and the connection breaks': {
    before: (asterisk, id) => {
      asterisk.hangUp(id)
      return 'drop'
    },
    sweep: true,
  },
}

/** Of the requests of this caller, the one with this number. */
export function injure(asterisk: FakeAri, parley: Gateway, id: string, injury: Injury, step: number): void {
  let seen = 0
  asterisk.fault = request => (isOf(request, id) && seen++ === step ? injury.before?.(asterisk, id, parley) : undefined)
  asterisk.afterRequest = request => {
    if (isOf(request, id) && seen === step + 1) injury.after?.(asterisk, id)
  }
}
