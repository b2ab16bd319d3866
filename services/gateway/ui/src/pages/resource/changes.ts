/** What changed between two documents, path by path. Pure. */

export interface Change {
  path: string
  before?: string
  after?: string
}

/** The differences of two JSON values; lists are compared as wholes. */
export function changesBetween(before: unknown, after: unknown, path = ''): Change[] {
  if (same(before, after)) return []
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return keys.flatMap((key) => changesBetween(before[key], after[key], path ? `${path}.${key}` : key))
  }
  return [{ path, ...(before === undefined ? {} : { before: shown(before) }), ...(after === undefined ? {} : { after: shown(after) }) }]
}

const TOLD = ['name', 'kind', 'version', 'metadata', 'config', 'providerId'] as const

/** What changed of a resource, of what people say of it: the log's own times are left out. */
export function changesOf(before: Readonly<Record<string, unknown>> | undefined, after: Readonly<Record<string, unknown>>): Change[] {
  if (!before) return []
  return TOLD.flatMap((key) => changesBetween(before[key], after[key], key))
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
