/** How long something took, or takes since. */
import { useTold } from '../../parts/useTold.ts'
import { now } from '../../time/clock.ts'
import { span } from '../../time/words.ts'

export function Duration({ from, to, active }: { from: string | null | undefined; to: string | null | undefined; active: boolean }) {
  const begin = from ? Date.parse(from) : Number.NaN
  const end = to ? Date.parse(to) : Number.NaN
  // Whole seconds while it ticks: what changes ten times a second can not be read.
  const text = useTold(() => {
    if (!Number.isNaN(end)) return span(Math.max(0, end - begin))
    return active ? span(Math.max(0, Math.floor((now.value - begin) / 1000) * 1000)) : ''
  }, [from, to, active])
  if (Number.isNaN(begin)) return null
  return <span class="num">{text}</span>
}
