import type { Finding, Severity } from './finding.ts'

const labels: Readonly<Record<Severity, string>> = { ok: 'ok', hint: 'hint', warning: 'WARNING', error: 'ERROR' }

/** For the terminal: one line a finding, its remedy beneath. */
export function reportLines(findings: readonly Finding[]): string[] {
  const indent = Math.max(...findings.map(({ check }) => check.length)) + 11
  const lines = findings.flatMap(({ check, severity, words, remedy }) => {
    const begin = `${labels[severity].padEnd(9)}${check}`.padEnd(indent)
    const told = words.split('\n').map((line, at) => `${at === 0 ? begin : ' '.repeat(indent)}${line}`)
    return severity === 'ok' || remedy === undefined ? told : [...told, `${' '.repeat(indent)}-> ${remedy}`]
  })
  const { error, warning, hint } = countsOf(findings)
  return [...lines, '', [counted(error, 'error'), counted(warning, 'warning'), counted(hint, 'hint')].join(', ')]
}

export function countsOf(findings: readonly Finding[]): Record<Severity, number> {
  const count = (severity: Severity) => findings.filter(each => each.severity === severity).length
  return { ok: count('ok'), hint: count('hint'), warning: count('warning'), error: count('error') }
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
