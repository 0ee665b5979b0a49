/** What the gateway makes. */
export type OwnKind = 'media' | 'bridge' | 'dialled'

/** The prefix and the caller's channel stand in each name, so that nothing that is ours is ever a stranger. */
export function ownName(
  prefix: string,
  kind: OwnKind,
  caller: string,
  ...unique: readonly (string | number)[]
): string {
  return `${prefix}${[kind, caller, ...unique].join(':')}`
}

/** For whom a channel was made that we have dialled, also in an earlier life. */
export function dialledFor(name: string, prefix: string): string | undefined {
  if (!name.startsWith(prefix)) return undefined
  const [kind, caller] = name.slice(prefix.length).split(':')
  return kind === 'dialled' ? caller : undefined
}
