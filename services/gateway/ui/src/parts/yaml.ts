/** A JSON value as YAML, and as pieces with their kind, for showing. Pure. */

export type Piece = [kind: 'k' | 's' | 'n' | 'b' | 'p' | '', text: string]

/** A value as YAML, line by line in pieces: keys, strings, numbers, booleans and null, punctuation. */
export function yamlPieces(value: unknown, depth = 0): Piece[] {
  if (Array.isArray(value)) {
    if (!value.length) return [['p', '[]']]
    return value.flatMap((one, index): Piece[] => [...line(index || depth ? depth : 0, index > 0 || depth > 0), ['p', '- '], ...nested(one, depth)])
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, one]) => one !== undefined)
    if (!entries.length) return [['p', '{}']]
    return entries.flatMap(([key, one], index): Piece[] => [
      ...line(depth, index > 0 || depth > 0),
      ['k', plain(key)],
      ['p', ':'],
      ...(isBranch(one) ? yamlPieces(one, depth + 1) : ([['', ' '], ...yamlPieces(one, depth + 1)] as Piece[])),
    ])
  }
  return [scalar(value, depth)]
}

/** A value as YAML text. */
export function yaml(value: unknown): string {
  return yamlPieces(value)
    .map(([, text]) => text)
    .join('')
}

function nested(value: unknown, depth: number): Piece[] {
  if (!isBranch(value)) return yamlPieces(value, depth + 1)
  const pieces = yamlPieces(value, depth + 1)
  // The first line of what is in a list stands behind its dash.
  return pieces[0]?.[1].startsWith('\n') ? pieces.slice(1) : pieces
}

function line(depth: number, breaks: boolean): Piece[] {
  return breaks ? [['', `\n${'  '.repeat(depth)}`]] : []
}

function isBranch(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function scalar(value: unknown, depth: number): Piece {
  if (typeof value === 'string') {
    if (!value.includes('\n')) return ['s', plain(value)]
    const indent = '  '.repeat(Math.max(1, depth))
    return ['s', `|\n${value.replace(/\n$/, '').split('\n').map((one) => indent + one).join('\n')}`]
  }
  return [typeof value === 'number' ? 'n' : 'b', String(value)]
}

/** A string without quotes where YAML reads it back as the same string. */
function plain(text: string): string {
  const isPlain = /^[A-Za-z_/][\w ./@-]*$/.test(text) && !/ $/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
  return isPlain ? text : JSON.stringify(text)
}
