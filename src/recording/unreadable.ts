import { GatewayError } from '../errors.ts'

/** A sound that stays as it is. Of its path the form alone is told. */
export function unreadable(path: string, why: string): GatewayError {
  return new GatewayError(
    'SOUND_UNREADABLE',
    `a sound cannot be read: it ${why} (${path.slice(path.lastIndexOf('.'))})`,
  )
}
