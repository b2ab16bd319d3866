/** What differs between two versions. Pure. */

export interface Difference {
  key: string
  /** undefined: it has no such key. */
  before: string | undefined
  after: string | undefined
}

interface Content {
  config: object
  jobAgentConfig: object
  metadata: object
  dependencies: object
}

/** The keys of everything that makes a version, with what they are in one and in the other where that differs; in order. */
export function differences(before: Content, after: Content): Difference[] {
  const left = flat(before)
  const right = flat(after)
  return [...new Set([...left.keys(), ...right.keys()])]
    .sort()
    .filter((key) => left.get(key) !== right.get(key))
    .map((key) => ({ key, before: left.get(key), after: right.get(key) }))
}

/** Every leaf by its path: `config.image`, `metadata.ci/build`. */
export function flat({ config, jobAgentConfig, metadata, dependencies }: Content): Map<string, string> {
  const found = new Map<string, string>()
  const take = (path: string, value: unknown): void => {
    const inside = typeof value === 'object' && value !== null ? Object.entries(value) : []
    if (!inside.length) {
      found.set(path, typeof value === 'string' ? value : JSON.stringify(value))
      return
    }
    for (const [key, one] of inside) take(`${path}.${key}`, one)
  }
  for (const [name, value] of Object.entries({ config, jobAgentConfig, metadata, dependencies })) {
    for (const [key, one] of Object.entries(value)) take(`${name}.${key}`, one)
  }
  return found
}
