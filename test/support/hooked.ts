import { type Business, judgeChoice } from '../../src/business.ts'
import type { Hook } from '../../src/desk/hooks.ts'

const defaults = {
  ...{ file: undefined, name: 'Dentist', phone: undefined, ownerPhone: undefined },
  engine: 'scripted',
} as const

/** A business that tells these integrators. */
export function businessWith(...hooks: readonly Hook[]): Business {
  const judged = judgeChoice({ name: 'Dentist', id: 'dentist', hooks }, defaults)
  if ('problems' in judged) throw new Error(judged.problems.join())
  return judged.business
}
