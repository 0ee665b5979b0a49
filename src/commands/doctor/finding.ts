export type Severity = 'ok' | 'hint' | 'warning' | 'error'

/** One thing that was looked at, and what to do about it. */
export interface Finding {
  /** What was looked at, in one word. */
  readonly check: string
  readonly severity: Severity
  readonly words: string
  readonly remedy?: string
}

/** What one check says, so that its name is written once. */
export function findingsOf(check: string) {
  return {
    ok: (words: string): Finding => ({ check, severity: 'ok', words }),
    hint: (words: string, remedy: string): Finding => ({ check, severity: 'hint', words, remedy }),
    warning: (words: string, remedy: string): Finding => ({ check, severity: 'warning', words, remedy }),
    error: (words: string, remedy: string): Finding => ({ check, severity: 'error', words, remedy }),
  }
}
