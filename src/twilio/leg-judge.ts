import type { CallFacts, JudgeLeg } from '../call/ports.ts'
import type { LegTokens } from './leg-token.ts'

interface LegJudgeDependencies {
  /** Left out: there is no auth token to judge one by. */
  readonly tokens: Pick<LegTokens, 'take' | 'proves'> | undefined
  /** Whoever has no right token is refused. */
  readonly required: boolean
}

/** Whose a SIP leg is: of the call that a webhook has led here, or of none. */
export function legJudge({ tokens, required }: LegJudgeDependencies): JudgeLeg {
  return (facts, takenOver = false) => {
    const token = carriedBy(facts, 'token')
    const made = carriedBy(facts, 'record')
    const record = made ?? carriedBy(facts, 'callSid')
    const again = carriedBy(facts, 'again')
    const back = again === undefined ? {} : { again }
    const part = { ...back, ...(made !== undefined && { outbound: true as const }) }
    if (token !== undefined) {
      const claim = { record: record ?? '', business: carriedBy(facts, 'business') ?? '', ...back }
      // Whether it was spent is known by whoever has let it in.
      if (takenOver)
        return tokens?.proves(token, claim) ? { kind: 'partOf', record: claim.record, ...part } : { kind: 'plain' }
      const doubt = tokens ? tokens.take(token, claim) : 'a token that cannot be judged without TWILIO_AUTH_TOKEN'
      if (doubt === undefined) return { kind: 'partOf', record: claim.record, ...part }
      if (required) return { kind: 'forged', why: `It carries ${doubt}.` }
      return { kind: 'plain', doubt: `The call carries ${doubt}: it is no part of the one that it names.` }
    }
    if (required) return takenOver ? { kind: 'plain' } : { kind: 'forged', why: 'It carries no token.' }
    // Of one who is believed; an address that was written by hand names the call, too.
    if (!/^CA[0-9a-f]{32}$/i.test(record ?? '')) return { kind: 'plain' }
    return { kind: 'partOf', record: record!, ...(again === undefined ? { byHand: true } : back) }
  }
}

/** In the address, or in a header where the way has not kept that. Names mean the same in any case (RFC 3261, 7.3.1). */
export function carriedBy({ parameters, headers }: CallFacts, name: string): string | undefined {
  const wanted = name.toLowerCase()
  return Object.entries(parameters).find(([each]) => each.toLowerCase() === wanted)?.[1] ?? headers[`x-${wanted}`]
}
