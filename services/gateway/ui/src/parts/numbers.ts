/** Numbers as people read them. Pure.
 *
 *  Not by `toLocaleString`: the first one in a page takes as long as half of the matrix takes to be drawn.
 */

/** A whole number with a comma before each three digits: `12,345`. */
export function thousands(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',')
}
