/** What the matrix draws: rows in groups, after the filter. Pure. */
import type { Filter } from '../../board/filter.ts'
import type { Cell, Line, Status } from '../../board/types.ts'

/** A heading with the lines under it, which are no rows while it is folded; or a row. */
export type Item = { kind: 'group'; key: string; name: string; lines: readonly Line[]; isFolded: boolean } | { kind: 'row'; key: string; line: Line }

/** Groups by system, each followed by its rows. With one system there is nothing to group.
 *
 * Args: cell: the cell of a row and a column, if there is one. folded: the keys of groups of which only the heading is drawn.
 */
export function itemsOf(
  lines: readonly Line[],
  columns: readonly Line[],
  filter: Filter,
  cell: (key: string) => Cell | undefined,
  folded: ReadonlySet<string>,
): Item[] {
  const groups = new Map<string, { name: string; lines: Line[] }>()
  for (const line of lines) {
    if (!isMeant(line, columns, filter, cell)) continue
    const system = line.systems[0] ?? { id: '', name: 'No system' }
    const group = groups.get(system.id) ?? { name: system.name, lines: [] }
    group.lines.push(line)
    groups.set(system.id, group)
  }
  if (groups.size === 1 && [...groups.keys()][0] === '') return [...groups.values()].flatMap((group) => group.lines.map(asRow))
  return [...groups].flatMap(([id, group]): Item[] => {
    const key = `group ${id}`
    const isFolded = folded.has(key)
    return [{ kind: 'group', key, ...group, isFolded }, ...(isFolded ? [] : group.lines.map(asRow))]
  })
}

/** How many cells there are of each status, of those that the filter means. */
export function countsOf(lines: readonly Line[], columns: readonly Line[], filter: Filter, cell: (key: string) => Cell | undefined): Map<Status, number> {
  const counts = new Map<Status, number>()
  for (const line of lines) {
    for (const column of columns) {
      const found = cell(`${line.id}/${column.id}`)
      if (!found || (filter.looksAtCells && !filter.cell(factsOf(found, line, column)))) continue
      counts.set(found.status, (counts.get(found.status) ?? 0) + 1)
    }
  }
  return counts
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

const LEADS = / (until|at|in)$/

/** What a screen reader says of a cell: where it is, how it stands, the version, and the note that everybody sees. What ticks there is an
 *  instant here, which stays true while it is said.
 *
 * Args: said: a text of the API with its instants as the reader has them.
 */
export function spoken(cell: Cell, line: Line, column: Line, said: (text: string) => string): string {
  const running = cell.running[0]
  const from = running && running.versionId !== cell.desired?.versionId ? ` from ${running.tag}` : ''
  const note = noteOf(cell)
  const told = 'of' in note ? `${note.of[0]} of ${note.of[1]}` : 'more' in note ? `and ${note.more} more` : 'since' in note ? `since ${said(note.since)}` : why(cell, said)
  return [`${line.name} in ${column.name}: ${cell.status}${from}`, tagOf(cell), told].filter(Boolean).join(', ')
}

/** The reason, and the instant that it leads up to: soaks until, next at, window opens. */
function why({ reason, until }: Cell, said: (text: string) => string): string {
  const to = LEADS.test(reason) ? '' : reason.endsWith('opens') ? 'at' : 'until'
  return [said(reason), ...(until ? [to, said(until)] : [])].filter(Boolean).join(' ')
}

/** The version that a cell is about; '' for none. */
export function tagOf(cell: Cell): string {
  return (cell.desired ?? cell.running[0])?.tag ?? ''
}

export type Note = { of: [done: number, all: number] } | { reason: string; until: string | null } | { since: string } | { more: number } | Record<never, never>

/** What is said at the right of a cell: how far it is, why it waits and until when, how long ago it failed, how many versions more there are. */
export function noteOf(cell: Cell): Note {
  if (cell.status === 'progressing' && cell.targets > 1) return { of: [cell.done, cell.targets] }
  if (cell.reason || cell.until) return { reason: cell.until ? cell.reason.replace(LEADS, '') : cell.reason, until: cell.until }
  if (cell.status === 'failed' && cell.since) return { since: cell.since }
  const more = cell.running.length - 1 + cell.more
  return more > 0 ? { more } : {}
}

/** Where an arrow leads in a grid of so many rows and columns; null: no arrow, or nowhere to go. */
export function neighbour(key: string, rows: number, row: number, column: number, columns: number): [row: number, column: number] | null {
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
  const to = Math.max(0, Math.min(rows - 1, row + by))
  return to === row ? null : [to, column]
}
