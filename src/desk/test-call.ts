/** The path of a real call, walked by ourselves from the carrier's first question to the agent's first sound. */
export interface TestCalls {
  place(asked: TestCallAsked): Promise<TestCallResult>
}

export interface TestCallAsked {
  /** Left out: the standard one. */
  readonly business: string | undefined
  /** `public`: asked where the carrier asks, by whatever stands before us; `local`: on this machine. */
  readonly through: 'local' | 'public'
}

export type TestCallResult =
  | { readonly kind: 'walked'; readonly report: TestCallReport }
  /** There is one at a time. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'unknownBusiness' }

export interface TestCallReport {
  readonly ok: boolean
  /** By which the call's record is found. */
  readonly call: string
  readonly business: string
  /** In their order; the first that is not ok is the last. */
  readonly steps: readonly TestCallStep[]
}

export const testCallSteps = ['webhook', 'twiml', 'invite', 'answered', 'firstSound', 'hungUp'] as const

export interface TestCallStep {
  readonly name: (typeof testCallSteps)[number]
  readonly ok: boolean
  /** Since the call began. */
  readonly afterMs: number
  /** What came of it, or what was wrong and what to do. */
  readonly detail: string
}
