import { Counter, type Registry } from 'prom-client'
import type { JobKind } from '../store/jobs.ts'

/** What became of attempts at jobs. */
export function jobMetrics(registry: Registry): (kind: JobKind, how: 'done' | 'again' | 'failed') => void {
  const attempts = new Counter({
    name: 'parley_jobs_total',
    help: 'Attempts at jobs, by kind and what came of them: done, tried again, failed for good.',
    labelNames: ['kind', 'result'],
    registers: [registry],
  })
  return (kind, result) => attempts.inc({ kind, result })
}
