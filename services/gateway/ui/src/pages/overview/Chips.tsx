/** The matrix on a narrow screen: deployments below one another, environments as chips. */
import { cells } from '../../board/board.ts'
import type { Filter } from '../../board/filter.ts'
import type { Line } from '../../board/types.ts'
import { Glyph } from '../../parts/base.tsx'
import { href } from '../../router/location.ts'
import { Note } from './CellLink.tsx'
import { Heading } from './Heading.tsx'
import { type Item, factsOf } from './layout.ts'

export function Chips({ items, columns, filter }: { items: readonly Item[]; columns: readonly Line[]; filter: Filter }) {
  return (
    <div class="chips">
      {items.map((item) =>
        item.kind === 'group' ? (
          <h2 key={item.key}>
            <Heading group={item} columns={columns} filter={filter} />
          </h2>
        ) : (
          <section key={item.key} aria-label={item.line.name}>
            <h3>
              <a href={href('deployment', { deploymentId: item.line.id })}>{item.line.name}</a>
            </h3>
            <ul>
              {columns.map((column) => (
                <Chip key={column.id} line={item.line} column={column} filter={filter} />
              ))}
            </ul>
          </section>
        ),
      )}
    </div>
  )
}

function Chip({ line, column, filter }: { line: Line; column: Line; filter: Filter }) {
  const cell = cells.get(`${line.id}/${column.id}`)?.value
  if (!cell || cell.status === 'empty') return null
  if (filter.looksAtCells && !filter.cell(factsOf(cell, line, column))) return null
  return (
    <li>
      <a
        class="chip"
        data-cell={cell.key}
        data-st={cell.status}
        href={href('rollout', { deploymentId: line.id, environmentId: column.id })}
      >
        <Glyph status={cell.status} />
        <span>
          {column.name}
          <span class="sr">: {cell.status}, </span>
        </span>
        <span class="mono">{(cell.desired ?? cell.running[0])?.tag ?? '–'}</span>
        <Note cell={cell} />
      </a>
    </li>
  )
}
