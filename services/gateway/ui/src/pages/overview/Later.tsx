/** What comes to the overview once it is seen: views, and the way to what needs attention. */
import { cells } from '../../board/board.ts'
import type { Filter } from '../../board/filter.ts'
import type { Line } from '../../board/types.ts'
import { useKeys } from '../../frame/keys.ts'
import { nextOf } from '../../parts/attention.ts'
import { narrow } from '../../parts/narrow.ts'
import { toast } from '../../parts/say.tsx'
import { fold } from './folds.ts'
import { type Item, factsOf } from './layout.ts'
import { sought } from './sought.ts'
import { Views } from './Views.tsx'

interface Props {
  text: string
  items: readonly Item[]
  columns: readonly Line[]
  filter: Filter
}

/** Keys that the matrix takes by itself. */
const OF_MATRIX = [
  { key: '← → ↑ ↓', does: 'move in the matrix' },
  { key: 'h j k l', does: 'the same' },
  { key: 'z', does: 'fold or unfold a group' },
  { key: 'Space', does: 'peek into a cell' },
  { key: 'Enter', does: 'open a cell' },
]

export default function Later({ text, items, columns, filter }: Props) {
  useKeys([...(narrow.value ? [] : OF_MATRIX), { key: '.', does: 'next cell that failed, then that is blocked', run: () => seek(items, columns, filter) }])
  return <Views text={text} />
}

/** Bring who is at the keyboard to the next cell that needs attention, out of a folded group too. */
function seek(items: readonly Item[], columns: readonly Line[], filter: Filter): void {
  const lines = items.flatMap((item) => (item.kind === 'row' ? [{ line: item.line, group: '' }] : item.isFolded ? item.lines.map((line) => ({ line, group: item.key })) : []))
  const places = lines.flatMap(({ line, group }) => columns.map((column) => ({ line, column, group, key: `${line.id}/${column.id}` })))
  const statuses = places.map(({ key, line, column }) => {
    const cell = cells.get(key)?.peek()
    return cell && (!filter.looksAtCells || filter.cell(factsOf(cell, line, column))) ? cell.status : undefined
  })
  const focused = document.activeElement?.getAttribute('data-cell')
  const found = places[nextOf(statuses, places.findIndex(({ key }) => key === focused)) ?? -1]
  if (!found) {
    toast('healthy', text(filter))
    return
  }
  if (found.group) fold(found.group)
  if (narrow.peek()) requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-cell="${found.key}"]`)?.focus())
  else sought.value = found.key
}

function text(filter: Filter): string {
  return filter.looksAtCells ? 'Nothing that the filter shows has failed or is blocked.' : 'Nothing here has failed or is blocked.'
}
