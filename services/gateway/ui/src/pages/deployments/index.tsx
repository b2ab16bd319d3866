/** All deployments: of which system each is, its newest version, what runs where, and how it stands. */
import { useComputed } from '@preact/signals'
import { counted } from '../../acts/words.ts'
import { boardError, boardThere, cells, columns, reloadBoard, rows } from '../../board/board.ts'
import { type Sum, fitting, sumOf } from '../../board/sums.ts'
import type { Cell, Line } from '../../board/types.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Glyph, Status } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { List } from '../../parts/List.tsx'
import { narrow } from '../../parts/narrow.ts'
import { said } from '../../parts/Said.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { Search } from '../../parts/Search.tsx'
import { href, query, setQuery } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import './deployments.css'

interface Row extends Sum {
  line: Line
  /** Its environments in the order in which versions pass them. */
  places: readonly { name: string; cell: Cell }[]
}

const WIDE = [
  { title: 'Deployment', width: 'minmax(0, 1fr)' },
  { title: 'System', width: 'minmax(0, 0.6fr)' },
  { title: 'Newest', width: 'minmax(0, 116px)' },
  { title: 'Runs in', width: 'minmax(0, 2.2fr)' },
  { title: 'Stands', width: '118px' },
]
const NARROW = [
  { title: 'Deployment', width: 'minmax(0, 1fr)' },
  { title: 'Runs in', width: 'minmax(0, 1.3fr)' },
]

export default function DeploymentsPage() {
  useCrumbs([{ label: 'Deployments' }])
  const text = useComputed(() => query.value.get('q') ?? '')
  const all = useComputed(() =>
    fitting(rows.value, text.value).map((line): Row => {
      const places = columns.value.flatMap(({ id, name }) => {
        const cell = cells.get(`${line.id}/${id}`)?.value
        return cell?.targets ? [{ name, cell }] : []
      })
      return { line, places, ...sumOf(places.map((one) => one.cell)) }
    }),
  )
  useKeys([
    { key: 'j', does: 'next deployment; k the one before' },
    { key: 'Enter', does: 'open it' },
  ])

  if (!boardThere.value) {
    return <div class="sheet">{boardError.value ? <ErrorCard error={boardError.value} what="The deployments:" retry={reloadBoard} /> : <Skeleton lines={12} />}</div>
  }
  if (!rows.value.length) {
    return (
      <Empty page title={past.value ? 'There were no deployments then' : 'There are no deployments yet'}>
        <p>
          Each thing that you release appears here: its newest version, and what of it runs where. <a href={href('start')}>The first-run guide</a> makes one.
        </p>
      </Empty>
    )
  }
  const small = narrow.value
  return (
    <div class="fill deployments">
      <h1 class="sr">Deployments</h1>
      <div class="tools">
        <Search label="Filter by name or system" placeholder="Filter by name or system" value={text.value} onText={(next) => setQuery({ q: next || null })} />
        <span class="quiet small total" role="status">
          {counted(all.value.length, 'deployment')}
        </span>
      </div>
      {boardError.value ? <ErrorCard error={boardError.value} what="This is not the newest state:" retry={reloadBoard} /> : null}
      {all.value.length ? (
        <List<Row>
          key={String(small)}
          label="Deployments"
          columns={small ? NARROW : WIDE}
          rowHeight={small ? 54 : 38}
          count={all.value.length}
          row={(index) => all.value[index]}
          rowKey={(one) => one.line.id}
          link={(one) => href('deployment', { deploymentId: one.line.id })}
          status={(one) => one.status}
          cells={(one) => (small ? slimCells(one) : wideCells(one))}
        />
      ) : (
        <Empty title="No deployment fits this filter">
          <p>
            Nothing is called <code>{text}</code>.
          </p>
          <p>
            <Button onPress={() => setQuery({ q: null })}>Show every deployment</Button>
          </p>
        </Empty>
      )}
    </div>
  )
}

function wideCells(one: Row) {
  return [
    <b class="cut">{one.line.name}</b>,
    <span class="quiet cut">{systemsOf(one)}</span>,
    <span class="mono cut">{one.line.newest?.tag ?? <span class="faint">none yet</span>}</span>,
    <Places row={one} />,
    <Status status={one.status} />,
  ]
}

function slimCells(one: Row) {
  return [
    <span class="two" data-st={one.status}>
      <b class="cut named-st">
        <Glyph status={one.status} />
        {one.line.name}
        <span class="sr">, {one.status}</span>
      </b>
      <span class="cut quiet small mono">{one.line.newest?.tag ?? 'no version yet'}</span>
    </span>,
    <Places row={one} />,
  ]
}

function systemsOf({ line }: Row): string {
  return line.systems.map((one) => one.name).join(', ')
}

function Places({ row }: { row: Row }) {
  if (!row.places.length) return <span class="faint">no targets</span>
  return (
    <span class="places">
      {row.places.map(({ name, cell }) => {
        const [first] = cell.running
        return (
          <span key={cell.key} class="at" data-st={cell.status} title={`${name}: ${said(cell.message) || cell.status}`}>
            <Glyph status={cell.status} />
            <span>{name}</span>
            <span class="mono quiet">
              {first ? `${first.tag}${cell.running.length + cell.more > 1 ? ` +${cell.running.length + cell.more - 1}` : ''}` : '–'}
            </span>
            <span class="sr">, {cell.status}</span>
          </span>
        )
      })}
    </span>
  )
}
