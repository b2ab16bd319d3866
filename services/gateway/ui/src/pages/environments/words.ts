/** What the environments' page works out. Pure. */

/** An expression for the resources that an environment's selector picks: the same text. */
export function resourcesOf(selector: string): string {
  return selector.trim() === 'true' ? '' : selector.trim()
}
