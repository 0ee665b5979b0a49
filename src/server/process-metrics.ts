import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

const RESOLUTION_MS = 20
const QUANTILES = [50, 99, 100]

/** The process itself; the returned function stops the watching. */
export function processMetrics(registry: Registry): () => void {
  const registers = [registry]
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  new Gauge({
    name: 'parley_event_loop_delay_seconds',
    help: 'How late the main thread was since the last scrape.',
    labelNames: ['quantile'],
    registers,
    collect() {
      for (const quantile of QUANTILES) {
        // The histogram holds whole intervals: what exceeds the resolution is the delay.
        const lateMs = Math.max(0, delays.percentile(quantile) / 1e6 - RESOLUTION_MS)
        this.set({ quantile: quantile / 100 }, delays.count === 0 ? 0 : lateMs / 1_000)
      }
      delays.reset()
    },
  })
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time of the process, its threads included.',
    labelNames: ['mode'],
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc({ mode: 'user' }, user / 1e6)
      this.inc({ mode: 'system' }, system / 1e6)
    },
  })
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory of the process, its threads included.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
  new Gauge({
    name: 'nodejs_heap_used_bytes',
    help: 'Heap in use by the main thread.',
    registers,
    collect() {
      this.set(process.memoryUsage().heapUsed)
    },
  })
  return () => delays.disable()
}
