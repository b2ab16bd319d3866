/** Which rows of a long list are drawn. Pure. */

/** The first row that is drawn and the one after the last, for a list that is scrolled so far. */
export function windowOf(scrolled: number, height: number, rowHeight: number, count: number, spare = 8): [from: number, to: number] {
  const first = Math.floor(Math.max(0, scrolled) / rowHeight)
  const seen = Math.ceil(height / rowHeight) + 1
  const from = Math.max(0, Math.min(first - spare, count - seen))
  return [from, Math.min(count, first + seen + spare)]
}

/** How far a list must be scrolled so that a row is in sight; null when it is already. */
export function scrollTo(row: number, scrolled: number, height: number, rowHeight: number): number | null {
  const top = row * rowHeight
  if (top < scrolled) return top
  if (top + rowHeight > scrolled + height) return top + rowHeight - height
  return null
}

/** The pages of a server's list that a window needs, by their number. */
export function pagesOf(from: number, to: number, size: number): number[] {
  if (to <= from) return []
  const first = Math.floor(from / size)
  return Array.from({ length: Math.floor((to - 1) / size) - first + 1 }, (_, index) => first + index)
}

/** Where a key moves to in a list; null: it is no key of lists. */
export function moved(key: string, row: number, count: number, page: number): number | null {
  const last = count - 1
  const to: Record<string, number> = {
    ArrowDown: row + 1,
    j: row + 1,
    ArrowUp: row - 1,
    k: row - 1,
    PageDown: row + page,
    PageUp: row - page,
    Home: 0,
    End: last,
  }
  const found = to[key]
  return found === undefined ? null : Math.max(0, Math.min(last, found))
}
