/** Path patterns such as `/w/:w/d/:deploymentId`: matching, and building with the same names. Pure. */

type Names<P extends string> = P extends `${string}:${infer Name}/${infer Rest}`
  ? Name | Names<`/${Rest}`>
  : P extends `${string}:${infer Name}`
    ? Name
    : never

/** The parameters that a pattern names, each a decoded string. */
export type Params<P extends string> = { [Name in Names<P>]: string }

/** The parameters of a path that fits the pattern, else null. A part that is no valid escape sequence fits nothing. */
export function match<P extends string>(pattern: P, path: string): Params<P> | null {
  const wanted = parts(pattern)
  const given = parts(path)
  if (wanted.length !== given.length) return null
  const found: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? ''
    if (!part.startsWith(':')) {
      if (part !== value) return null
      continue
    }
    try {
      found[part.slice(1)] = decodeURIComponent(value)
    } catch {
      return null
    }
  }
  return found as Params<P>
}

/** The path of a pattern with these parameters, each escaped: an identifier with a slash stays one part. */
export function build<P extends string>(pattern: P, params: Params<P>): string {
  const values = params as Record<string, string>
  return pattern.replace(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(values[name] ?? ''))
}

function parts(path: string): string[] {
  return path.replace(/^\/+|\/+$/g, '').split('/')
}
