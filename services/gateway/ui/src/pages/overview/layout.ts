/** What the matrix draws: rows in groups, after the filter. Pure. */
import type { Filter } from '../../board/filter.ts'
import type { Cell, Line } from '../../board/types.ts'

export type Item = { kind: 'group'; key: string; name: string; count: number } | { kind: 'row'; key: string; line: Line }

/** Groups by system, each followed by its rows. With one system there is nothing to group.
 *
 * Args: cell: the cell of a row and a column, if there is one.
 */
export function itemsOf(lines: readonly Line[], columns: readonly Line[], filter: Filter, cell: (key: string) => Cell | undefined): Item[] {
  const groups = new Map<string, { name: string; lines: Line[] }>()
  for (const line of lines) {
    if (!isMeant(line, columns, filter, cell)) continue
    const system = line.systems[0] ?? { id: '', name: 'No system' }
    const group = groups.get(system.id) ?? { name: system.name, lines: [] }
    group.lines.push(line)
    groups.set(system.id, group)
  }
  if (groups.size === 1 && [...groups.keys()][0] === '') return [...groups.values()].flatMap((group) => group.lines.map(asRow))
  return [...groups].flatMap(([id, group]): Item[] => [
    { kind: 'group', key: `group ${id}`, name: group.name, count: group.lines.length },
    ...group.lines.map(asRow),
  ])
}

function asRow(line: Line): Item {
  return { kind: 'row', key: line.id, line }
}

function isMeant(line: Line, columns: readonly Line[], filter: Filter, cell: (key: string) => Cell | undefined): boolean {
  const systems = line.systems.map((one) => one.name)
  if (!filter.row({ deployment: line.name, systems })) return false
  if (!filter.looksAtCells) return true
  return columns.some((column) => {
    const found = cell(`${line.id}/${column.id}`)
    return found !== undefined && filter.cell(factsOf(found, line, column))
  })
}

/** What a filter looks at in a cell. */
export function factsOf(cell: Cell, line: Line, column: Line) {
  return {
    deployment: line.name,
    environment: column.name,
    systems: line.systems.map((one) => one.name),
    status: cell.status,
    versions: [cell.desired, cell.heldVersion, ...cell.running].flatMap((one) => (one ? [one.tag] : [])),
    reason: cell.reason,
  }
}

/** What a screen reader says of a cell: where it is, how it stands, the version, and the note that everybody sees. What ticks there is an
 *  instant here, which stays true while it is said.
 *
 * Args: until: the cell's instant in words.
 */
export function spoken(cell: Cell, line: Line, column: Line, until: string): string {
  const running = cell.running[0]
  const from = running && running.versionId !== cell.desired?.versionId ? ` from ${running.tag}` : ''
  const note = noteOf(cell)
  const said = 'of' in note ? `${note.of[0]} of ${note.of[1]}` : 'more' in note ? `and ${note.more} more` : 'reason' in note ? `${note.reason}${until ? ` until ${until}` : ''}`.trim() : ''
  return [`${line.name} in ${column.name}: ${cell.status}${from}`, tagOf(cell), said].filter(Boolean).join(', ')
}

/** The version that a cell is about; '' for none. */
export function tagOf(cell: Cell): string {
  return (cell.desired ?? cell.running[0])?.tag ?? ''
}

export type Note = { of: [done: number, all: number] } | { reason: string; until: string | null } | { since: string } | { more: number } | Record<never, never>

/** What is said at the right of a cell: how far it is, why it waits and until when, how long ago it failed, how many versions more there are. */
export function noteOf(cell: Cell): Note {
  if (cell.status === 'progressing' && cell.targets > 1) return { of: [cell.done, cell.targets] }
  if (cell.reason || cell.until) return { reason: cell.until ? cell.reason.replace(/ (until|at|in)$/, '') : cell.reason, until: cell.until }
  if (cell.status === 'failed' && cell.since) return { since: cell.since }
  const more = cell.running.length - 1 + cell.more
  return more > 0 ? { more } : {}
}

/** Where an arrow leads in the grid, past the rows that are headings of groups; null: no arrow, or nowhere to go. */
export function neighbour(key: string, items: readonly Item[], row: number, column: number, columns: number): [row: number, column: number] | null {
  const side: Record<string, number> = { ArrowLeft: -1, h: -1, ArrowRight: 1, l: 1 }
  const along: Record<string, number> = { ArrowUp: -1, k: -1, ArrowDown: 1, j: 1, PageUp: -10, PageDown: 10 }
  if (key in side) {
    const to = column + (side[key] ?? 0)
    return to >= 0 && to < columns ? [row, to] : null
  }
  if (key === 'Home') return [row, 0]
  if (key === 'End') return [row, columns - 1]
  const by = along[key]
  if (by === undefined) return null
  const rows = items.flatMap((item, index) => (item.kind === 'row' ? [index] : []))
  const here = rows.indexOf(row)
  const to = rows[Math.max(0, Math.min(rows.length - 1, here + by))]
  return to === undefined || to === row ? null : [to, column]
}
