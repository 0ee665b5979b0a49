import { readFileSync } from 'node:fs'

/** What modules.conf asks for: without any one of them Asterisk does not start. */
export function requiredModules(): string[] {
  const text = readFileSync(new URL('../../../asterisk/modules.conf', import.meta.url), 'utf8')
  return [...text.matchAll(/^require = (\S+)$/gm)].map(([, name = '']) => name)
}
