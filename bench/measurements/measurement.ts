import type { Row } from '../report/row.ts'

export interface How {
  /** A shorter run, for while one works on it; its figures mean little. */
  readonly quick: boolean
  /** For whoever waits. */
  readonly progress: (text: string) => void
}

/** What is measured in one go. */
export interface Measurement {
  /** As `--only` takes it. */
  readonly name: string
  run(how: How): Promise<readonly Row[]>
}

/** What stands under one heading. */
export interface Subject {
  readonly title: string
  /** How it is measured, so that the figures can be judged. */
  readonly method: string
  readonly measurements: readonly Measurement[]
}
