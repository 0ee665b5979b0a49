import { cursorOf } from '../../src/server/page.ts'
import { seeded } from '../../test/support/random.ts'
import { BUSINESSES, CALLS, FOREIGNER, HIDDEN, NUMBERS, wordOf } from './million.ts'

/** Questions of one kind, each another one. */
export interface Kind {
  readonly name: string
  readonly most: 50 | 300
  readonly queries: readonly string[]
}

const beganMs = Date.UTC(2026, 0, 1)
const lengthMs = CALLS * 15_000
const random = seeded(17)
const someOf = (many: number) => Math.floor(many * random())

/** The first few have a third of all calls, the last half few thousand each. */
const large = () => `business-${1 + someOf(2)}`
const anyBusiness = () => `business-${1 + someOf(BUSINESSES - 1)}`
const number = () => `%2B1555${String(someOf(NUMBERS)).padStart(7, '0')}`
const moment = () => new Date(beganMs + someOf(lengthMs)).toISOString()
const place = () => `cursor=${cursorOf({ atMs: beganMs + someOf(lengthMs), id: 'call' })}`
const outcomes = ['callerHungUp', 'handedBack', 'transferred', 'voicemail', 'refused', 'failed', 'lost']
const outcome = () => outcomes[someOf(outcomes.length)]!
const ranks = { common: [1, 2, 5, 20], middling: [100, 300, 1_000, 3_000], rare: [10_000, 20_000, 40_000] }
const word = (kind: keyof typeof ranks) => `text=${wordOf(ranks[kind][someOf(ranks[kind].length)]! + someOf(3))}`

/** `count` questions a kind; the variants of a kind take turns. */
export function kinds(count: number): Kind[] {
  const kind = (name: string, most: Kind['most'], ...variants: (() => string)[]): Kind => ({
    name,
    most,
    queries: Array.from({ length: count }, (_, at) => variants[at % variants.length]!()),
  })
  return [
    kind(
      'a page of all, of a business',
      50,
      () => '',
      () => `business=${large()}`,
      () => `business=${anyBusiness()}`,
    ),
    kind(
      'by number, of all and within a business',
      50,
      () => `number=${number()}`,
      () => `number=${number()}&business=${anyBusiness()}`,
    ),
    kind(
      'by a number that is hidden',
      50,
      () => `number=${HIDDEN}`,
      () => `number=${HIDDEN}&business=${anyBusiness()}`,
    ),
    kind(
      'by state',
      50,
      () => 'state=live',
      () => `state=live&business=${large()}`,
      () => `state=ended&business=${anyBusiness()}`,
    ),
    kind(
      'by outcome, frequent, rare, and long ago',
      50,
      () => `outcome=${outcome()}`,
      () => `outcome=${outcome()}&business=${anyBusiness()}`,
    ),
    kind(
      'by time',
      50,
      () => `since=${moment()}&before=${moment()}`,
      () => `before=${moment()}&business=${anyBusiness()}`,
    ),
    kind(
      'by all of these',
      50,
      () => `business=${large()}&state=ended&outcome=${outcome()}&before=${moment()}`,
      () => `number=${HIDDEN}&outcome=${outcome()}&since=${moment()}`,
    ),
    kind(
      'deep pages, by cursor',
      50,
      () => place(),
      () => `${place()}&business=${anyBusiness()}`,
      () => `${place()}&outcome=${outcome()}`,
    ),
    kind('by a common word, over all', 300, () => word('common')),
    kind('by a middling word, over all', 300, () => word('middling')),
    kind('by a rare word, over all', 300, () => word('rare')),
    kind(
      'by a common word, within a business',
      300,
      () => `${word('common')}&business=${large()}`,
      () => `${word('common')}&business=${anyBusiness()}`,
    ),
    kind(
      'by a middling word, within a business',
      300,
      () => `${word('middling')}&business=${large()}`,
      () => `${word('middling')}&business=${anyBusiness()}`,
    ),
    kind(
      'by a rare word, within a business',
      300,
      () => `${word('rare')}&business=${large()}`,
      () => `${word('rare')}&business=${anyBusiness()}`,
    ),
    kind(
      'by a word that all say but not this business, and the other way round',
      300,
      () => `text=${wordOf(1 + someOf(5))}&business=${FOREIGNER}`,
      () => `text=q${wordOf(1 + someOf(5))}`,
      () => `text=q${wordOf(1 + someOf(5))}&business=${large()}`,
    ),
    kind(
      'by several words, a phrase, and a deep page',
      300,
      () => `text=${wordOf(3)}+${wordOf(300)}`,
      () => `text=%22${wordOf(1)}+${wordOf(7)}%22`,
      () => `${word('common')}&${place()}`,
      () => `${word('middling')}&${place()}&business=${large()}`,
    ),
  ]
}
