/** The overview: what is where, and why it is not further. */
import { signal, useComputed } from '@preact/signals'
import { boardError, boardThere, cells, columns, counters, reloadBoard, rows } from '../../board/board.ts'
import { filterOf, has, toggled } from '../../board/filter.ts'
import { STATUSES } from '../../board/types.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { Glyph, Icon } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { Search } from '../../parts/Search.tsx'
import { href, query, setQuery } from '../../router/location.ts'
import { workspace } from '../../session.ts'
import { Chips } from './Chips.tsx'
import { itemsOf } from './layout.ts'
import { Matrix } from './Matrix.tsx'
import '../../parts/counter.css'
import './overview.css'

const narrowly = matchMedia('(max-width: 760px)')
const narrow = signal(narrowly.matches)
narrowly.addEventListener('change', () => (narrow.value = narrowly.matches))

export default function Overview() {
  useCrumbs([{ label: 'Overview' }])
  const text = useComputed(() => query.value.get('q') ?? '')
  const filter = useComputed(() => filterOf(text.value))
  const shownColumns = useComputed(() => columns.value.filter((column) => filter.value.column(column.name)))
  const items = useComputed(() => {
    // Only a filter that looks at cells has to follow every one of them.
    const look = filter.value.looksAtCells ? (key: string) => cells.get(key)?.value : () => undefined
    return itemsOf(rows.value, shownColumns.value, filter.value, look)
  })
  const setText = (next: string) => setQuery({ q: next || null })

  if (!boardThere.value) {
    return <div class="sheet">{boardError.value ? <ErrorCard error={boardError.value} what="The overview:" retry={reloadBoard} /> : <Skeleton lines={12} />}</div>
  }
  if (!rows.value.length) return <First />
  return (
    <>
      <h1 class="sr">Overview</h1>
      <div class="tools">
        <Counters text={text.value} onText={setText} />
        <Search label="Filter the matrix" placeholder="Filter: checkout status:blocked env:prod-*" value={text.value} onText={setText} down='.mx [tabindex="0"]' />
      </div>
      {filter.value.unknown.length ? (
        <p class="notice">
          Nothing is called {filter.value.unknown.map((name) => `“${name}:”`).join(', ')} here: there are status, env, system, deployment, version and
          reason.
        </p>
      ) : null}
      {boardError.value ? <ErrorCard error={boardError.value} what="This is not the newest state:" retry={reloadBoard} /> : null}
      {!items.value.length || !shownColumns.value.length ? (
        <Nothing text={text.value} onText={setText} />
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

function Nothing({ text, onText }: { text: string; onText(next: string): void }) {
  const shorter = text.trim().split(/\s+/).slice(0, -1).join(' ')
  return (
    <Empty title="Nothing fits this filter">
      <p>
        <code>{text}</code>
      </p>
      <p>
        <Button onPress={() => onText(shorter)}>{shorter ? `Look for ${shorter}` : 'Show everything'}</Button>
      </p>
    </Empty>
  )
}

function First() {
  const slug = workspace.value?.slug ?? 'default'
  return (
    <Empty page title="Nothing is deployed from here yet" command={`curl -H "X-API-Key: $SIGNALBOX_API_KEY" ${location.origin}/api/v1/workspaces/slug/${slug}`}>
      <p>
        This page will show what runs where: a row for each deployment, a column for each environment, and in each cell the version and why it waits.
      </p>
      <p>
        <a href={href('start')}>Follow the first-run guide</a>: it takes you from here to a deployed version. The command below shows that your key works.
      </p>
    </Empty>
  )
}
