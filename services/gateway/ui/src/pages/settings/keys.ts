/** Lives of API keys. Pure. */

const DAY_MS = 86_400_000

/** How long a key may live, in days; '' for ever. */
export const LIVES: readonly (readonly [days: string, label: string])[] = [
  ['7', 'in 7 days'],
  ['30', 'in 30 days'],
  ['90', 'in 90 days'],
  ['365', 'in a year'],
  ['', 'never'],
]

/** When a key of so many days expires; undefined: never. */
export function expiryOf(days: string, now: number): string | undefined {
  return days ? new Date(now + Number(days) * DAY_MS).toISOString() : undefined
}

export function isOver(expiresAt: string | undefined, now: number): boolean {
  return expiresAt !== undefined && expiresAt !== '' && Date.parse(expiresAt) <= now
}

export function exportLine(key: string): string {
  return `export SIGNALBOX_API_KEY='${key}'`
}
