import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import type { Environment } from './environment.ts'
import { GatewayError } from './errors.ts'
import { Secret } from './secret.ts'

/** Reads settings of an environment: each problem is told in words that name the variable and the remedy, all at once. */
export class Reader {
  readonly environment: Environment
  readonly #problems: string[] = []
  /** Of every variable that was asked for. */
  readonly defaults = new Map<string, string>()

  constructor(environment: Environment) {
    this.environment = environment
  }

  /** Nothing wrong so far. */
  get allRight(): boolean {
    return this.#problems.length === 0
  }

  has(name: string): boolean {
    return this.optional(name) !== undefined
  }

  problem(text: string): void {
    this.#problems.push(text)
  }

  optional(name: string, otherwise = ''): string | undefined {
    if (!this.defaults.get(name)) this.defaults.set(name, otherwise)
    return this.environment[name]?.trim() || undefined
  }

  text(name: string, otherwise: string): string {
    return this.optional(name, otherwise) ?? otherwise
  }

  pattern(name: string, otherwise: string, form: RegExp, allowed: string): string {
    const value = this.text(name, otherwise)
    if (!form.test(value)) this.problem(`${name} may hold only ${allowed}; it is "${value}".`)
    return value
  }

  integer(name: string, otherwise: number, least: number, most: number): number {
    const text = this.optional(name, String(otherwise))
    if (text === undefined) return otherwise
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    this.problem(`${name} must be a whole number from ${least} to ${most}; it is "${text}".`)
    return otherwise
  }

  /** A comma-separated list of one to ten. */
  integers(name: string, otherwise: readonly number[], least: number, most: number): number[] {
    const text = this.optional(name, otherwise.join(','))
    if (text === undefined) return [...otherwise]
    const values = text.split(',').map(Number)
    const right = values.length <= 10 && values.every(each => Number.isInteger(each) && each >= least && each <= most)
    if (right) return values
    this.problem(`${name} must list up to ten whole numbers from ${least} to ${most}, such as 8,8,8; it is "${text}".`)
    return [...otherwise]
  }

  optionalInteger(name: string, least: number, most: number): number | undefined {
    return this.has(name) ? this.integer(name, least, least, most) : undefined
  }

  port(name: string, otherwise: number): number {
    return this.integer(name, otherwise, 1, 65_535)
  }

  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const text = this.text(name, otherwise)
    const found = choices.find(choice => choice === text)
    if (found === undefined) this.problem(`${name} must be one of ${choices.join(', ')}; it is "${text}".`)
    return found ?? otherwise
  }

  /** The value itself never appears in a message. */
  secret(name: string, leastLength = 1): Secret | undefined {
    const value = this.optional(name)
    if (value === undefined) return undefined
    if (value.length < leastLength) {
      this.problem(
        `${name} is too short: use at least ${leastLength} characters, or leave it out to have one generated.`,
      )
    }
    return new Secret(value)
  }

  url(name: string, protocols: readonly string[], otherwise: string): string {
    const text = this.text(name, otherwise)
    return this.optionalUrl(name, protocols) ?? text
  }

  optionalUrl(name: string, protocols: readonly string[]): string | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text.replace(/\/+$/, '')
    this.problem(
      `${name} must be an address that begins with ${protocols.map(each => `${each}//`).join(' or ')}; it is "${text}".`,
    )
    return undefined
  }

  /** It may hold a password, so no message shows it. */
  secretUrl(name: string, protocols: readonly string[], example: string): Secret | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      this.problem(`${name} must be an address such as ${example}.`)
    }
    return new Secret(text)
  }

  /** A file of this machine, or of the one that Asterisk runs on. */
  path(name: string): string | undefined {
    const text = this.optional(name)
    if (text !== undefined && !isAbsolute(text)) this.problem(`${name} must be an absolute path; it is "${text}".`)
    return text
  }

  address(name: string): string | undefined {
    const text = this.optional(name)
    if (text !== undefined && isIP(text) !== 4)
      this.problem(`${name} must be an IPv4 address such as 203.0.113.7; it is "${text}".`)
    return text
  }

  e164(name: string): string | undefined {
    const text = this.optional(name)
    if (text !== undefined && !/^\+[1-9][0-9]{6,14}$/.test(text)) {
      this.problem(`${name} must be a telephone number in international form, such as +15551234567.`)
    }
    return text
  }

  /** A comma-separated list; `none` is the empty one. */
  networks(name: string, otherwise: readonly string[]): readonly string[] {
    const text = this.optional(name, otherwise.join(','))
    if (text === undefined) return otherwise
    if (text === 'none') return []
    const networks = text.split(',').map(each => each.trim())
    for (const network of networks) {
      const [address = '', bits = '32', ...rest] = network.split('/')
      if (isIP(address) === 4 && rest.length === 0 && /^([0-9]|[12][0-9]|3[0-2])$/.test(bits)) continue
      this.problem(`${name} must list networks such as 203.0.113.0/24, or be "none"; "${network}" is none.`)
    }
    return networks
  }

  finish(): void {
    if (this.#problems.length === 0) return
    const listed = this.#problems.map(problem => `  - ${problem}`).join('\n')
    throw new GatewayError('CONFIG_INVALID', `The configuration has ${this.#problems.length} problem(s):\n${listed}`)
  }
}
