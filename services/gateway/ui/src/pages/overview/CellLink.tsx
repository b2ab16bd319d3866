/** One cell of the matrix: glyph, version, and the reason or how far it is. It draws itself again only when its own row changes. */
import { cells } from '../../board/board.ts'
import type { Cell, Line } from '../../board/types.ts'
import { Countdown, Glyph, Time } from '../../parts/base.tsx'
import { href } from '../../router/location.ts'
import { lead } from './layout.ts'

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
    >
      <Glyph status={cell.status} />
      <span class="sr">{lead(cell, line, column)}</span>
      <span class="v">{(cell.desired ?? cell.running[0])?.tag ?? '–'}</span>
      <span class="x">
        <Note cell={cell} />
      </span>
    </a>
  )
}

/** What is said at the right of a cell: why it waits and until when, how far it is, how long ago it failed. */
export function Note({ cell }: { cell: Cell }) {
  if (cell.status === 'progressing' && cell.targets > 1) {
    return (
      <span class="num">
        {cell.done}/{cell.targets}
      </span>
    )
  }
  if (cell.reason || cell.until) {
    return (
      <>
        <span class="cut">{cell.until ? cell.reason.replace(/ (until|at|in)$/, '') : cell.reason}</span>
        {cell.until ? <Countdown until={cell.until} small /> : null}
      </>
    )
  }
  if (cell.status === 'failed' && cell.since) return <Time at={cell.since} ago />
  return cell.more || cell.running.length > 1 ? <span class="num">+{cell.running.length - 1 + cell.more}</span> : null
}
