/** A sentence of the API: instants in the viewer's zone with UTC on hover, people and things by name, addresses as links. */
import { nameOf } from '../acts/names.ts'
import { personName } from '../people/people.ts'
import { short } from '../people/words.ts'
import { now } from '../time/clock.ts'
import { local } from '../time/words.ts'
import { Time } from './base.tsx'
import { piecesOf } from './said.ts'

interface SaidProps {
  children: string | null | undefined
  /** false where it stands in a link or a button already. */
  links?: boolean
}

export function Said({ children, links = true }: SaidProps) {
  return (
    <>
      {piecesOf(children ?? '').map((piece, index) => {
        if (piece.kind === 'time') return <Time key={index} at={piece.at} />
        if (piece.kind === 'id') return <Named key={index} id={piece.text} />
        if (piece.kind === 'text' || !links) return piece.text
        return (
          <a key={index} class="link" href={piece.text} target="_blank" rel="noreferrer">
            {piece.text.replace(/^https?:\/\//, '')}
            <span class="sr"> (opens beside)</span>
          </a>
        )
      })}
    </>
  )
}

function named(id: string): string {
  return nameOf(id) ?? personName(id) ?? short(id)
}

function Named({ id }: { id: string }) {
  const name = named(id)
  return name === short(id) ? <span title={id}>{name}</span> : <>{name}</>
}

/** The same as one text, for titles and for screen readers. Times are in the viewer's zone. */
export function said(sentence: string | null | undefined): string {
  return piecesOf(sentence ?? '')
    .map((piece) => (piece.kind === 'time' ? local(Date.parse(piece.at), now.value) : piece.kind === 'id' ? named(piece.text) : piece.text))
    .join('')
}
