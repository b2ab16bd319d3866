/** A card beside a cell: the whole sentence, the versions, and where to go from there. */
import { useLayoutEffect, useRef } from 'preact/hooks'
import { cells } from '../../board/board.ts'
import type { Line } from '../../board/types.ts'
import { Bar, Countdown, Status, Time } from '../../parts/base.tsx'
import { Said } from '../../parts/Said.tsx'

export interface Peeked {
  key: string
  line: Line
  column: Line
  near: DOMRect
}

export default function Peek({ peeked: { key, line, column, near } }: { peeked: Peeked }) {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const card = box.current
    if (!card) return
    const below = near.bottom + 6 + card.offsetHeight < innerHeight
    card.style.left = `${Math.max(8, Math.min(near.left, innerWidth - card.offsetWidth - 8))}px`
    card.style.top = `${below ? near.bottom + 6 : near.top - 6 - card.offsetHeight}px`
  }, [key])
  const cell = cells.get(key)?.value
  if (!cell) return null
  return (
    <div ref={box} class="peek" role="status">
      <header>
        <b>{line.name}</b> <span class="quiet">in {column.name}</span>
        <Status status={cell.status} pill />
      </header>
      {cell.message ? (
        <p>
          <Said links={false}>{cell.message}</Said>
        </p>
      ) : null}
      <dl class="facts">
        {cell.heldVersion ? (
          <>
            <dt>waiting</dt>
            <dd class="mono">{cell.heldVersion.tag}</dd>
          </>
        ) : null}
        <dt>wanted</dt>
        <dd class="mono">{cell.desired?.tag ?? 'nothing yet'}</dd>
        <dt>running</dt>
        <dd class="mono">
          {cell.running.map((one) => `${one.tag} ×${one.targets}`).join(', ') || 'nothing'}
          {cell.more ? `, ${cell.more} more` : ''}
        </dd>
        {cell.until ? (
          <>
            <dt>until</dt>
            <dd>
              <Time at={cell.until} />{' '}
              {/* It is a status for those who hear: what ticks would be said each second. */}
              <span aria-hidden="true">
                <Countdown until={cell.until} />
              </span>
            </dd>
          </>
        ) : null}
        {cell.since ? (
          <>
            <dt>since</dt>
            <dd>
              <Time at={cell.since} />
            </dd>
          </>
        ) : null}
      </dl>
      <div class="reach">
        <Bar done={cell.done} all={cell.targets} status={cell.status} />
        <span class="num small quiet">
          {cell.done} of {cell.targets}
        </span>
      </div>
    </div>
  )
}
