import { asError } from '../../errors.ts'

export type Severity = 'ok' | 'hint' | 'warning' | 'error'

/** What a check has seen, or why it could not look. */
export type Looked<T> =
  | { readonly seen: T; readonly unseen?: undefined }
  | { readonly seen?: undefined; readonly unseen: Finding[] }

/** What cannot be looked at is a finding like any other: everything else is looked at all the same. */
export async function looked<T>(check: string, look: () => T | Promise<T>): Promise<Looked<T>> {
  try {
    return { seen: await look() }
  } catch (thrown) {
    const remedy = 'Run the doctor as the user that Parley runs as.'
    return { unseen: [findingsOf(check).error(asError(thrown).message, remedy)] }
  }
}

export function judged<T>(looked: Looked<T>, judge: (seen: T) => Finding[]): Finding[] {
  return looked.unseen ?? judge(looked.seen)
}

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

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
