/** What is in the rows of a folded group: how many cells there are of each status. */
import { cells } from '../../board/board.ts'
import type { Filter } from '../../board/filter.ts'
import { type Line, STATUSES } from '../../board/types.ts'
import { Glyph } from '../../parts/base.tsx'
import { countsOf } from './layout.ts'

export interface FoldedProps {
  lines: readonly Line[]
  columns: readonly Line[]
  filter: Filter
}

export default function Folded({ lines, columns, filter }: FoldedProps) {
  const counts = countsOf(lines, columns, filter, (key) => cells.get(key)?.value)
  return (
    <span class="sum">
      {STATUSES.flatMap((status) => {
        const count = counts.get(status)
        return count
          ? [
              <span key={status} class="status" data-st={status} title={`${count} ${status}`}>
                <Glyph status={status} />
                <span class="num">{count}</span> <span class="word">{status}</span>
              </span>,
            ]
          : []
      })}
    </span>
  )
}
