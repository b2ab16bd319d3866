/** An expression as the clauses that must all hold: what the facets read from it and write into it. Pure. */

/** The parts of `a && b && c`, as they are written. An expression of another form is one clause. */
export function clausesOf(text: string): string[] {
  const found: string[] = []
  let depth = 0
  let quote = ''
  let start = 0
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index] ?? ''
    if (quote) {
      if (letter === '\\') index += 1
      else if (letter === quote) quote = ''
    } else if (letter === '"' || letter === "'") quote = letter
    else if ('([{'.includes(letter)) depth += 1
    else if (')]}'.includes(letter)) depth -= 1
    else if (depth === 0 && text.startsWith('&&', index)) {
      found.push(text.slice(start, index))
      start = index + 2
      index += 1
    } else if (depth === 0 && (text.startsWith('||', index) || letter === '?')) return [text.trim()].filter(Boolean)
  }
  found.push(text.slice(start))
  return found.map((one) => one.trim()).filter(Boolean)
}

export function joined(clauses: readonly string[]): string {
  return clauses.join(' && ')
}

/** A text as a literal of an expression. */
export function literal(text: string): string {
  return JSON.stringify(text)
}

/** The path of a metadata key. */
export function metadataPath(key: string): string {
  return `resource.metadata[${literal(key)}]`
}

/** The values that a clause on a path allows; null: it is about something else. */
function valuesOf(clause: string, path: string): string[] | null {
  if (!clause.startsWith(path)) return null
  const rest = clause.slice(path.length).trim()
  const text = rest.startsWith('==') ? `[${rest.slice(2)}]` : rest.startsWith('in ') ? rest.slice(3) : ''
  try {
    const values: unknown = JSON.parse(text)
    return Array.isArray(values) && values.every((one) => typeof one === 'string') ? values : null
  } catch {
    return null
  }
}

/** The values of a path that an expression asks for, when it does so plainly. */
export function chosen(text: string, path: string): string[] {
  return clausesOf(text).flatMap((clause) => valuesOf(clause, path) ?? [])
}

/** The expression with a value of a path asked for, or no more; several values of one path become a list. */
export function toggled(text: string, path: string, value: string): string {
  const clauses = clausesOf(text)
  const place = clauses.findIndex((clause) => valuesOf(clause, path) !== null)
  const before = place < 0 ? [] : (valuesOf(clauses[place] ?? '', path) ?? [])
  const after = before.includes(value) ? before.filter((one) => one !== value) : [...before, value]
  const clause = after.length === 1 ? `${path} == ${literal(after[0] ?? '')}` : `${path} in [${after.map(literal).join(', ')}]`
  if (place < 0) clauses.push(clause)
  else clauses.splice(place, 1, ...(after.length ? [clause] : []))
  return joined(clauses)
}

/** What is typed as an expression: a plain word is looked for in names and identifiers. */
export function expressionOf(typed: string): string {
  const text = typed.trim()
  if (!/^[\w./:@ -]+$/.test(text) || /^(resource\b|true$|false$)/.test(text) || / in /.test(text)) return text
  return `resource.name.contains(${literal(text)}) || resource.identifier.contains(${literal(text)})`
}

/** Where in a text of several lines a line and a column are, both from 1. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n')
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0)
  return Math.min(text.length, before + Math.max(0, column - 1))
}
