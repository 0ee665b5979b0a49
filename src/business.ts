/** What a business chooses. Read from BUSINESS_FILE, or filled from the environment. */
export interface Business {
  readonly id: string
  readonly name: string
  /** In E.164: the numbers that reach this business. */
  readonly numbers: readonly string[]
  readonly greeting: string
  readonly instructions: string
  readonly language: string
  readonly voice: string
  readonly engine: string
  readonly timeZone: string
}
