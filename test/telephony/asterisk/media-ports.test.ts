import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asteriskPorts, mediaPorts } from '../../../src/telephony/asterisk/media-ports.ts'

test('lie right above the ports of callers, as many', () => {
  expect(mediaPorts({ start: 10_000, end: 10_100 })).toEqual({ start: 10_101, end: 10_201 })
  expect(asteriskPorts({ start: 10_000, end: 10_100 })).toEqual({ start: 10_000, end: 10_201 })
})

test('lie below where there is no room above', () => {
  expect(mediaPorts({ start: 65_000, end: 65_500 })).toEqual({ start: 64_499, end: 64_999 })
  expect(asteriskPorts({ start: 65_000, end: 65_500 })).toEqual({ start: 64_499, end: 65_500 })
})

test('are never more than all lines can use', () => {
  expect(mediaPorts({ start: 10_000, end: 50_000 })).toEqual({ start: 50_001, end: 51_334 })
})

test('never meet those of callers, and are always ports', () => {
  const ports = fc.integer({ min: 1_024, max: 65_535 })
  const range = fc.tuple(ports, ports).map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }))
  fc.assert(
    fc.property(range, callers => {
      const media = mediaPorts(callers)
      if (!media) {
        expect(callers.end - callers.start).toBeGreaterThan(61_800)
        return
      }
      expect(media.start > callers.end || media.end < callers.start).toBe(true)
      expect(media.start).toBeGreaterThanOrEqual(1_024)
      expect(media.end).toBeLessThanOrEqual(65_535)
      expect(media.end - media.start).toBe(Math.min(callers.end - callers.start, 1_333))
    }),
  )
})
