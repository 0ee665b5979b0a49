/** Earlier ones have security holes in ARI and in PJSIP over TCP. */
export const minimumVersion = '22.10.1'

/** Reads what `asterisk -V` prints; certified and development builds carry no version that can be compared. */
export function versionIn(text: string): string | undefined {
  return /^Asterisk (\d+\.\d+\.\d+)(?![.\d])/m.exec(text)?.[1]
}

/** Negative when the first is older. */
export function compareVersions(first: string, second: string): number {
  const [one, other] = [first, second].map(version => version.split('.').map(Number))
  for (let part = 0; part < 3; part++) {
    const difference = (one?.[part] ?? 0) - (other?.[part] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

export function isRecentEnough(version: string): boolean {
  return compareVersions(version, minimumVersion) >= 0
}
