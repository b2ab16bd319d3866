/** What stands in a sentence of the API that a page shows otherwise: instants, ids of people and things, addresses. Pure. */

export type Piece = { kind: 'text' | 'id' | 'link'; text: string } | { kind: 'time'; text: string; at: string }

const TIME = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: UTC|Z)\b`
const ID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const LINK = String.raw`https?:\/\/[^\s<>"'()]+[^\s<>"'().,;:!?]`
// What is a part of something longer (a release target's key, a digest) is no id of its own.
const FOUND = new RegExp(String.raw`(?<time>\b${TIME})|(?<link>\b${LINK})|(?<![\w/-])(?<id>${ID})(?![\w/-])`, 'gi')

/** The pieces of a sentence in their order; together they are the sentence. */
export function piecesOf(sentence: string): Piece[] {
  const pieces: Piece[] = []
  let done = 0
  for (const found of sentence.matchAll(FOUND)) {
    const [text] = found
    const at = found.groups?.['time'] ? instantOf(text) : ''
    // It only looks like one: what a user wrote stays as it is.
    if (at === null) continue
    if (found.index > done) pieces.push({ kind: 'text', text: sentence.slice(done, found.index) })
    done = found.index + text.length
    if (at) pieces.push({ kind: 'time', text, at })
    else pieces.push({ kind: found.groups?.['id'] ? 'id' : 'link', text })
  }
  if (done < sentence.length) pieces.push({ kind: 'text', text: sentence.slice(done) })
  return pieces
}

/** As RFC 3339 has it; null for a day or an hour that no calendar has. */
function instantOf(text: string): string | null {
  const at = text.toUpperCase().replace(' UTC', 'Z').replace(' ', 'T')
  const ms = Date.parse(at)
  // The 30th of February is read as a day of March.
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(at.slice(0, 16)) ? at : null
}
