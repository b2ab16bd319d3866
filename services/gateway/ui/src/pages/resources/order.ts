/** In which order resources are listed. Pure. The server lists them newest change first; any other order is made here, of all that were found. */
import type { Resource } from '../../api/schema'

/** More than these are not all asked for, and so can not be put in order. */
export const MOST_IN_ORDER = 1_000

export interface Order {
  /** `name`, `kind`, `changed`, or `metadata.` and a key. */
  by: string
  down: boolean
}

/** As the address has it: `kind`, or `-kind` for the other way round. */
export function orderOf(text: string): Order | null {
  const by = text.replace(/^-/, '')
  return by ? { by, down: text.startsWith('-') } : null
}

/** What a press on a heading makes of it: up, down, and back to how the server lists them. */
export function turned(now: Order | null, by: string): string {
  if (now?.by !== by) return by
  return now.down ? '' : `-${by}`
}

/** How a column is in order, as a screen reader is told. */
export function sortOf(now: Order | null, by: string): 'ascending' | 'descending' | 'none' {
  if (now?.by !== by) return 'none'
  return now.down ? 'descending' : 'ascending'
}

type Orderable = Pick<Resource, 'name' | 'kind' | 'updatedAt' | 'metadata' | 'identifier'>

const names = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

/** In this order; those without such a value come last either way, equal ones by name. */
export function inOrder<T extends Orderable>(items: readonly T[], { by, down }: Order): T[] {
  const value = (one: T) => (by === 'name' ? one.name : by === 'kind' ? one.kind : by === 'changed' ? one.updatedAt : (one.metadata[by.slice('metadata.'.length)] ?? ''))
  return [...items].sort((a, b) => {
    const [left, right] = [value(a), value(b)]
    if (!left || !right) return Number(!left) - Number(!right) || names.compare(a.name, b.name)
    return names.compare(left, right) * (down ? -1 : 1) || names.compare(a.name, b.name) || names.compare(a.identifier, b.identifier)
  })
}
