/** The numbers that the carrier has for this house, and who answers them here. */
export interface CarrierNumbers {
  search(wanted: NumberSearch): Promise<readonly OfferedNumber[]>
  /** With its webhooks set in the same step; what fails after it was bought gives it back. */
  buy(order: NumberOrder): Promise<CarrierNumber>
  /** And those that a business names and the carrier does not have. */
  list(): Promise<readonly CarrierNumber[]>
  /** Its webhooks are set anew. */
  fix(number: string): Promise<CarrierNumber>
  /** Taken from the business that has it. */
  assign(number: string, business: string): Promise<CarrierNumber>
  release(number: string): Promise<void>
}

export interface NumberSearch {
  /** Two capital letters. */
  readonly country: string
  readonly kind: 'local' | 'mobile' | 'tollFree'
  readonly areaCode?: number | undefined
  readonly contains?: string | undefined
  readonly sms?: boolean | undefined
}

export interface OfferedNumber {
  readonly number: string
  readonly place: string
  readonly voice: boolean
  readonly sms: boolean
  /** It is sold to those alone who have an address: anywhere, there, or abroad. */
  readonly needsAddress: boolean
}

export interface NumberOrder {
  readonly number: string
  readonly business: string
  readonly addressSid?: string | undefined
  readonly bundleSid?: string | undefined
}

export interface CarrierNumber {
  readonly number: string
  /** None: the carrier does not have it for us. */
  readonly sid: string | null
  readonly business: string | null
  readonly voice: boolean
  readonly sms: boolean
  /** Why calls or messages for it do not arrive; empty when they do. */
  readonly problems: readonly string[]
}

/** Something of this house speaks against it, in words; what the carrier says is an error of its own. */
export class NumberRefused extends Error {
  readonly why: 'unknown' | 'conflict'

  constructor(why: 'unknown' | 'conflict', message: string) {
    super(message)
    this.why = why
  }
}
