import { expect } from 'vitest'
import type { Finding } from '../../../src/commands/doctor/finding.ts'

/** What a person reads first. All but what is well must come with its remedy. */
export function told(findings: readonly Finding[]): string[] {
  for (const { severity, words, remedy } of findings) {
    if (severity !== 'ok') expect(remedy, words).toMatch(/^\S.{5,}\S$/)
  }
  return findings.map(({ severity, words }) => `${severity}: ${words}`)
}
