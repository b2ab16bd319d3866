/** Where `.` goes: to what needs somebody. Pure. */
import type { Status } from '../board/types.ts'

const NEEDS: readonly Status[] = ['failed', 'blocked']

/** The next place that needs attention: what failed first, then what is blocked, each from the top, and again from the beginning. null: none does.
 *
 * Args: here: the place that has the focus; -1 for none.
 */
export function nextOf(statuses: readonly (string | undefined)[], here: number): number | null {
  const order = NEEDS.flatMap((status) => statuses.flatMap((one, place) => (one === status ? [place] : [])))
  return order[(order.indexOf(here) + 1) % order.length] ?? null
}
