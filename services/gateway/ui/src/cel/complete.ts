/** What fits at the caret of an expression: fields, and values seen of a field. Pure. */
import { literal, metadataPath } from './clauses.ts'

/** What there is to offer. */
export interface Vocabulary {
  /** Paths that may be written, such as `resource.metadata["region"]`. */
  fields: readonly { path: string; hint?: string }[]
  /** Values by path, the most frequent first. */
  values: Readonly<Record<string, readonly { value: string; count?: number; label?: string }[]>>
}

export interface Suggestion {
  label: string
  hint?: string
  /** What the text becomes, and where the caret stands then. */
  text: string
  caret: number
}

const MOST = 12
/** A path with an open string behind it: `resource.kind == "Ku`, `resource.kind in ["A", "B`. */
const VALUE = /((?:resource|deployment|environment)(?:\.\w+|\["(?:[^"\\]|\\.)*"\])+)\s*(?:==|!=|in\s*\[(?:\s*"[^"]*"\s*,)*|\.(?:startsWith|endsWith|contains)\()\s*"([^"]*)$/
/** A path that is being written. */
const PATH = /(?:resource|deployment|environment)?(?:\.\w*|\["[^"\]]*"?\]?)*$|[A-Za-z]\w*$/

/** What fits where the caret is. */
export function suggestions(text: string, caret: number, words: Vocabulary): Suggestion[] {
  const before = text.slice(0, caret)
  const after = text.slice(caret)
  const value = VALUE.exec(before)
  if (value) {
    const [, path = '', typed = ''] = value
    const head = before.slice(0, before.length - typed.length)
    const rest = after.startsWith('"') ? after.slice(1) : after
    return (words.values[path] ?? [])
      .filter((one) => matches(one.value, typed) || (one.label !== undefined && matches(one.label, typed)))
      .slice(0, MOST)
      .map((one) => {
        const inside = literal(one.value).slice(1)
        return {
          label: one.label ? `${one.label}` : one.value,
          ...(one.count === undefined ? {} : { hint: String(one.count) }),
          text: head + inside + rest,
          caret: (head + inside).length,
        }
      })
  }
  // Inside of another string nothing is a path.
  if ((before.replaceAll(/\\./g, '').match(/"/g)?.length ?? 0) % 2 === 1 && !/\["[^"]*$/.test(before)) return []
  const typed = PATH.exec(before)?.[0] ?? ''
  if (!typed && before.trim() && !/(&&|\|\||!|\()\s*$/.test(before)) return []
  const head = before.slice(0, before.length - typed.length)
  const fits = words.fields.filter((one) => one.path !== typed && (one.path.startsWith(typed) || (!typed.includes('.') && matches(one.path, typed))))
  return fits.slice(0, MOST).map((one) => ({
    label: one.path,
    ...(one.hint ? { hint: one.hint } : {}),
    text: head + one.path + after,
    caret: (head + one.path).length,
  }))
}

function matches(whole: string, part: string): boolean {
  return whole.toLowerCase().includes(part.toLowerCase())
}

interface Facet {
  value: string
  count: number
}

/** What resources of a workspace offer. */
export interface Facets {
  kinds: readonly Facet[]
  versions: readonly Facet[]
  providers: readonly { id: string; name: string; count: number }[]
  metadata: readonly { key: string; count: number; values: readonly Facet[] }[]
  paths: readonly string[]
}

/** The words for expressions on resources, and with `around` on targets: deployments and environments by their names too. */
export function vocabulary(facets: Facets | undefined, around?: { deployments: readonly string[]; environments: readonly string[] }): Vocabulary {
  const named = (names: readonly string[]) => names.map((value) => ({ value }))
  const fields = [
    ...(around ? [{ path: 'environment.name' }, { path: 'deployment.name' }] : []),
    { path: 'resource.name' },
    { path: 'resource.identifier' },
    { path: 'resource.kind', hint: 'kind' },
    ...(facets?.metadata ?? []).map(({ key, count }) => ({ path: metadataPath(key), hint: `${count}` })),
    ...(facets?.paths ?? []).map((path) => ({ path: `resource.${path}` })),
    { path: 'resource.version' },
    { path: 'resource.providerId', hint: 'provider' },
    ...(around ? ['environment.metadata', 'deployment.metadata', 'deployment.slug', 'environment.id', 'deployment.id'].map((path) => ({ path })) : []),
  ]
  const values: Record<string, { value: string; count?: number; label?: string }[]> = {
    'resource.kind': [...(facets?.kinds ?? [])],
    'resource.version': [...(facets?.versions ?? [])],
    'resource.providerId': (facets?.providers ?? []).map(({ id, name, count }) => ({ value: id, label: name, count })),
    ...(around ? { 'environment.name': named(around.environments), 'deployment.name': named(around.deployments) } : {}),
  }
  for (const { key, values: seen } of facets?.metadata ?? []) values[metadataPath(key)] = [...seen]
  return { fields, values }
}
