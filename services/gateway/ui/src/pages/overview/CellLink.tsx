/** One cell of the matrix: glyph, version, and the reason or how far it is. It draws itself again only when its own row changes. */
import { cells } from '../../board/board.ts'
import type { Cell, Line } from '../../board/types.ts'
import { Countdown, Glyph, Time } from '../../parts/base.tsx'
import { href } from '../../router/location.ts'
import { now } from '../../time/clock.ts'
import { zoned } from '../../time/words.ts'
import { noteOf, spoken, tagOf } from './layout.ts'

interface Props {
  line: Line
  column: Line
  /** Whether it is the one that has the grid's tab stop. */
  active: boolean
  /** Whether the filter means others. */
  dim?(cell: Cell): boolean
}

export function CellLink({ line, column, active, dim }: Props) {
  const row = cells.get(`${line.id}/${column.id}`)
  const cell = row?.value
  if (!cell || cell.status === 'empty') {
    return <span class="cell none" tabIndex={active ? 0 : -1} role="img" aria-label={`${line.name} in ${column.name}: no targets`} data-cell={`${line.id}/${column.id}`} />
  }
  return (
    <a
      class="cell"
      href={href('rollout', { deploymentId: line.id, environmentId: column.id })}
      tabIndex={active ? 0 : -1}
      data-st={cell.status}
      data-dim={dim?.(cell) ? '' : undefined}
      data-cell={cell.key}
      aria-label={spoken(cell, line, column, said)}
    >
      <Glyph status={cell.status} />
      <span class="v">{tagOf(cell) || '–'}</span>
      <Note cell={cell} />
    </a>
  )
}

/** Not by `Said`, which asks for names: no id is as short as what a cell says. */
function said(text: string): string {
  return zoned(text, now.peek())
}

/** What is said at the right of a cell, in as few elements as can be: there are many cells. */
export function Note({ cell }: { cell: Cell }) {
  const note = noteOf(cell)
  if ('of' in note) return <span class="x num">{note.of.join('/')}</span>
  if ('reason' in note) {
    if (!note.until) return <span class="x cut">{said(note.reason)}</span>
    return (
      <span class="x">
        <span class="cut">{said(note.reason)}</span>
        <Countdown until={note.until} small />
      </span>
    )
  }
  if ('since' in note) {
    return (
      <span class="x">
        <Time at={note.since} ago />
      </span>
    )
  }
  return 'more' in note ? <span class="x num">+{note.more}</span> : null
}
