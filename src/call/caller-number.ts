/** The same for the database: PostgreSQL reads this expression as JavaScript does. */
export const telephoneNumber = /^[+]?[0-9]{3,15}$/

/** Trunks that carry numbers only spell it on the keypad: +266696687 is "anonymous". */
const withheldWords = ['anonymous', 'blocked', 'private', 'restricted', 'unavailable', 'unknown']
const keys = ['abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs', 'tuv', 'wxyz']

export const withheldNumbers: readonly string[] = withheldWords.flatMap(word => {
  const digits = [...word].map(letter => 2 + keys.findIndex(key => key.includes(letter))).join('')
  return [digits, `+${digits}`]
})

/** Whoever withholds a number shares it with all others who do: nothing may be known by it. */
export function tellsWhoCalls(number: string): boolean {
  return telephoneNumber.test(number) && !withheldNumbers.includes(number)
}
