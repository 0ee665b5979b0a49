import { readConfig } from '../../src/config.ts'

/** The names of all variables that the configuration reads. */
export function knownVariables(): ReadonlySet<string> {
  const asked = new Set<string>()
  const environment = new Proxy<Record<string, string>>(
    {},
    {
      get: (_, name) => {
        asked.add(String(name))
        return undefined
      },
    },
  )
  readConfig(environment)
  return asked
}
