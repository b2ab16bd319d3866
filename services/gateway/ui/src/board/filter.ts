/** The filter of the matrix: `status:blocked,failed env:prod-* system:payments version:4.2* -env:dev checkout`. Pure.
 *
 * Every clause must hold. Values take `*` for anything; several, with commas, mean any of them; `-` in front means not. What has no
 * name is looked for in the names of the deployment and its systems.
 */

export interface Facts {
  deployment: string
  environment: string
  systems: readonly string[]
  status: string
  versions: readonly string[]
  reason: string
}

export interface Filter {
  /** Whether a cell is meant. */
  cell(facts: Facts): boolean
  /** Whether a row may have cells that are meant: what is known of it without its cells. */
  row(facts: Pick<Facts, 'deployment' | 'systems'>): boolean
  /** Whether a column is meant. */
  column(environment: string): boolean
  /** Whether clauses look at single cells, so that rows without any that is meant go. */
  looksAtCells: boolean
  /** Names before a colon that mean nothing, as they were written. */
  unknown: readonly string[]
}

const NAMES = ['status', 'env', 'system', 'deployment', 'version', 'reason'] as const
type Name = (typeof NAMES)[number]

interface Clause {
  name: Name | 'text'
  not: boolean
  fits(value: string): boolean
}

/** Read a filter as it was typed; nothing that can be typed is an error. */
export function filterOf(text: string): Filter {
  const unknown: string[] = []
  const clauses = words(text).map((word) => clauseOf(word, unknown))
  const of = (...names: Clause['name'][]) => clauses.filter((clause) => names.includes(clause.name))
  const rows = of('system', 'deployment', 'text')
  const columns = of('env')
  const cells = of('status', 'version', 'reason')
  const row: Filter['row'] = (facts) => rows.every((clause) => holds(clause, rowValues(clause, facts)))
  const column: Filter['column'] = (environment) => columns.every((clause) => holds(clause, [environment]))
  const cell: Filter['cell'] = (facts) =>
    row(facts) && column(facts.environment) && cells.every((clause) => holds(clause, cellValues(clause, facts)))
  return { row, column, cell, looksAtCells: cells.length > 0, unknown }
}

/** The filter with a clause put in, or taken out when it was there: what the counters above the matrix do. */
export function toggled(text: string, clause: string): string {
  const there = words(text)
  const name = clause.slice(0, clause.indexOf(':') + 1)
  const others = there.filter((word) => !word.startsWith(name))
  return (there.includes(clause) ? others : [...others, clause]).join(' ')
}

/** Whether a clause is in the filter as it stands. */
export function has(text: string, clause: string): boolean {
  return words(text).includes(clause)
}

function words(text: string): string[] {
  return text.match(/[^\s"]*"[^"]*"?|\S+/g) ?? []
}

function clauseOf(word: string, unknown: string[]): Clause {
  const not = word.startsWith('-') && word.length > 1
  const bare = not ? word.slice(1) : word
  const colon = bare.indexOf(':')
  const name = bare.slice(0, Math.max(0, colon)).toLowerCase()
  const known = NAMES.find((one) => one === name)
  if (colon > 0 && !known) unknown.push(bare.slice(0, colon))
  const value = (known ? bare.slice(colon + 1) : bare).replaceAll('"', '').toLowerCase()
  if (!known) return { name: 'text', not, fits: (given) => given.includes(value) }
  const tests = value.split(',').filter(Boolean).map(globOf)
  return { name: known, not, fits: (given) => !tests.length || tests.some((test) => test(given)) }
}

function globOf(pattern: string): (value: string) => boolean {
  if (!pattern.includes('*')) return (value) => value === pattern
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  const expression = new RegExp(`^${parts.join('.*')}$`)
  return (value) => expression.test(value)
}

function holds(clause: Clause, values: readonly string[]): boolean {
  return values.some((value) => clause.fits(value.toLowerCase())) !== clause.not
}

function rowValues(clause: Clause, facts: Pick<Facts, 'deployment' | 'systems'>): readonly string[] {
  if (clause.name === 'system') return facts.systems
  if (clause.name === 'deployment') return [facts.deployment]
  return [facts.deployment, ...facts.systems]
}

function cellValues(clause: Clause, facts: Facts): readonly string[] {
  if (clause.name === 'status') return [facts.status]
  if (clause.name === 'version') return facts.versions
  return [facts.reason]
}
