import type { Business } from '../business.ts'
import type { TransferOutcome } from '../call/events.ts'

/** A transfer that has ended, as one who was not there is told it. */
const endings: Readonly<Record<TransferOutcome, string>> = {
  connected: 'they were connected',
  busy: 'the line was busy',
  noAnswer: 'nobody answered',
  rejected: 'the call was rejected',
  declined: 'whoever answered did not take the call',
  unreachable: 'the line could not be reached',
  noPort: 'all lines were in use',
  callerGone: 'the caller had gone',
  cancelled: 'the caller was brought back before anybody took the call',
  failed: 'it failed for a technical reason',
}

/** What a model is told of a caller who is with it again, and has just heard these words. */
export function outcomeTold(
  { destinations }: Pick<Business, 'destinations'>,
  { destination, outcome, heard }: { destination: string; outcome: TransferOutcome; heard: string },
): string {
  const others = destinations.map(({ name }) => name).filter(name => name !== destination)
  const elsewhere = others.length === 0 ? '' : `to connect them with somebody else (${others.join(', ')}) or `
  const next =
    outcome === 'cancelled'
      ? 'Ask them how you can help.'
      : `Tell them in one sentence what has happened, then offer ${elsewhere}to take a message.`
  return `The transfer to ${destination} is over: ${endings[outcome]}. The caller is with you again and has just heard: "${heard}" ${next}`
}
