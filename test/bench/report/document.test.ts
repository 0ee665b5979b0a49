import { describe, expect, it } from 'vitest'
import { document } from '../../../bench/report/document.ts'
import { percentiles } from '../../../bench/report/percentiles.ts'
import type { Row } from '../../../bench/report/row.ts'

const conditions = {
  echoMs: percentiles([0.1, 0.2]),
  callerLateMs: percentiles([0.5, 1.5]),
  cpu: { gateway: 17.4, Asterisk: 73 },
  othersCpu: 2.6,
  steal: 0.04,
}
const row = (value: number): Row => ({
  subject: 'media path, 50 calls',
  checks: [{ name: 'p99', value, most: 20, unit: 'ms' }],
  notes: ['max 30 ms'],
  conditions,
})
const free: Row = { subject: 'cost of a call', checks: [], notes: ['0.1 % | 0.2 MB'], conditions: undefined }
const written = (...rows: Row[]) =>
  document('npm run bench', { processor: 'some, 2 cores', Node: 'v24' }, [{ title: 'Calls', method: 'How.', rows }])

describe('the document', () => {
  it('says that it is generated, and how many goals were met', () => {
    expect(written(row(1), row(2), free)).toContain('Written by `npm run bench`, all of it from one run')
    expect(written(row(1), row(2), free)).toContain('2 of 2 goals met.')
    expect(written(row(1), row(21), free)).toContain('1 of 2 goals met, **1 MISSED**.')
  })

  it('says how much else ran meanwhile', () => {
    const busier = { ...row(1), conditions: { ...conditions, othersCpu: 82.4 } }
    expect(written(row(1), busier, free)).toContain('What else ran on the machine took up to 82 % of a core.')
    expect(written(free)).toContain('took up to 0 % of a core.')
  })

  it('names the machine', () => {
    expect(written()).toContain('| processor | some, 2 cores |\n| Node | v24 |')
  })

  it('tells of each row goal, figure, verdict and circumstances', () => {
    expect(written(row(12.34))).toContain(
      '| media path, 50 calls | p99 ≤ 20 ms | p99 12.3 ms; max 30 ms | met | 0.10 / 0.20 | 0.50 / 1.50 / 1.50 | gateway 17, Asterisk 73, others 3 | 0.0 |',
    )
    expect(written(row(20.01))).toContain('| p99 20.0 ms; max 30 ms | **MISSED** |')
  })

  it('keeps its tables whole', () => {
    expect(written(free)).toContain('| cost of a call |  | 0.1 % \\| 0.2 MB | no goal |  |  |  |  |')
    const lines = written(row(1), free).split('\n')
    const tables = lines.filter(line => line.startsWith('|')).map(line => line.replaceAll('\\|', '').split('|').length)
    expect(new Set(tables)).toEqual(new Set([4, 10]))
  })
})
