/** The overview: what is where, and why it is not further. */
import { useComputed, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { boardError, boardThere, cells, columns, counters, reloadBoard, rows } from '../../board/board.ts'
import { filterOf, has, toggled } from '../../board/filter.ts'
import { STATUSES } from '../../board/types.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { Lazy } from '../../frame/Lazy.tsx'
import { oncePainted } from '../../frame/painted.ts'
import { Glyph, Icon } from '../../parts/base.tsx'
import { narrow } from '../../parts/narrow.ts'
import { ErrorCard, Skeleton } from '../../parts/say.tsx'
import { Search } from '../../parts/Search.tsx'
import { href, query, setQuery } from '../../router/location.ts'
import { Chips } from './Chips.tsx'
import { folded } from './folds.ts'
import { itemsOf } from './layout.ts'
import { Matrix } from './Matrix.tsx'
import '../../parts/counter.css'
import './overview.css'

/** What nobody needs to see what is where. */
const later = () => import('./Later.tsx')
const first = () => import('./First.tsx')
const nothing = () => import('./Nothing.tsx')
const unknown = () => import('./Unknown.tsx')

export default function Overview() {
  useCrumbs([{ label: 'Overview' }])
  const text = useComputed(() => query.value.get('q') ?? '')
  const filter = useComputed(() => filterOf(text.value))
  const shownColumns = useComputed(() => columns.value.filter((column) => filter.value.column(column.name)))
  const items = useComputed(() => {
    // Only a filter that looks at cells has to follow every one of them.
    const look = filter.value.looksAtCells ? (key: string) => cells.get(key)?.value : () => undefined
    return itemsOf(rows.value, shownColumns.value, filter.value, look, folded.value)
  })
  const painted = useSignal(false)
  useEffect(() => oncePainted(() => (painted.value = true)), [])
  const setText = (next: string) => setQuery({ q: next || null })

  if (!boardThere.value) {
    return <div class="sheet">{boardError.value ? <ErrorCard error={boardError.value} what="The overview:" retry={reloadBoard} /> : <Skeleton lines={12} />}</div>
  }
  if (!rows.value.length) return <Lazy load={first} />
  return (
    <>
      <h1 class="sr">Overview</h1>
      <div class="tools">
        <Counters text={text.value} onText={setText} />
        <Search label="Filter the matrix" placeholder="Filter: checkout status:blocked env:prod-*" value={text.value} onText={setText} down='.mx [tabindex="0"]' />
        <span class="later">
          {painted.value ? <Lazy load={later} props={{ text: text.value, items: items.value, columns: shownColumns.value, filter: filter.value }} failed={() => undefined} /> : null}
        </span>
      </div>
      {filter.value.unknown.length ? <Lazy load={unknown} props={{ names: filter.value.unknown }} failed={() => undefined} /> : null}
      {boardError.value ? <ErrorCard error={boardError.value} what="This is not the newest state:" retry={reloadBoard} /> : null}
      {!items.value.length || !shownColumns.value.length ? (
        <Lazy load={nothing} props={{ text: text.value, onText: setText }} />
      ) : narrow.value ? (
        <Chips items={items.value} columns={shownColumns.value} filter={filter.value} />
      ) : (
        <Matrix items={items.value} columns={shownColumns.value} filter={filter.value} />
      )}
    </>
  )
}

function Counters({ text, onText }: { text: string; onText(next: string): void }) {
  const counts = counters.value
  if (!counts) return null
  return (
    <div class="counters" role="group" aria-label="Cells by status">
      {STATUSES.map((status) => (
        <button
          key={status}
          type="button"
          class="counter"
          data-st={status}
          data-none={counts[status] ? undefined : ''}
          aria-pressed={has(text, `status:${status}`)}
          onClick={() => onText(toggled(text, `status:${status}`))}
        >
          <Glyph status={status} />
          <b class="num">{counts[status] ?? 0}</b>
          <span>{status}</span>
        </button>
      ))}
      {counts.approvals ? (
        <a class="counter" href={href('approvals')}>
          <Icon name="approvals" />
          <b class="num">{counts.approvals}</b>
          <span>to approve</span>
        </a>
      ) : null}
    </div>
  )
}
