/** What stands in a sentence of the API that a page shows otherwise: instants, ids of people and things, addresses. Pure. */

export type Piece = { kind: 'text' | 'id' | 'link'; text: string } | { kind: 'time'; text: string; at: string }

const TIME = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: UTC|Z)`
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
    if (found.index > done) pieces.push({ kind: 'text', text: sentence.slice(done, found.index) })
    done = found.index + text.length
    if (found.groups?.['time']) pieces.push({ kind: 'time', text, at: text.replace(' UTC', 'Z').replace(' ', 'T') })
    else pieces.push({ kind: found.groups?.['id'] ? 'id' : 'link', text })
  }
  if (done < sentence.length) pieces.push({ kind: 'text', text: sentence.slice(done) })
  return pieces
}
