import type { CarrierNumber } from './carrier-numbers.ts'

/** A business from nothing to its first call: a number with its webhooks, the business itself, and a call to see. */
export interface Onboarding {
  /** What was done is undone when a later step fails; except a test that fails, which is told. */
  begin(asked: OnboardingAsked): Promise<Onboarded>
}

export interface OnboardingAsked {
  /** As it is written. */
  readonly business: Readonly<Record<string, unknown>>
  readonly number:
    | { readonly buy: string; readonly addressSid?: string | undefined; readonly bundleSid?: string | undefined }
    | { readonly take: string }
  readonly test: boolean
}

type Onboarded =
  | {
      readonly kind: 'done'
      readonly business: string
      readonly number: CarrierNumber
      /** None: it was not asked for. */
      readonly test: TestTold | undefined
    }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] }

export interface TestTold {
  readonly ok: boolean
  readonly steps: readonly {
    readonly name: string
    readonly ok: boolean
    readonly afterMs: number
    readonly detail: string
  }[]
}
