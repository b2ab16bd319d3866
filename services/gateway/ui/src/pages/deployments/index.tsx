/** All deployments: of which system each is, its newest version, what runs where, and how it stands. */
import { type ReadonlySignal, computed, useComputed } from '@preact/signals'
import { counted } from '../../acts/words.ts'
import { boardError, boardThere, cells, columns, reloadBoard, rows } from '../../board/board.ts'
import { type Sum, fitting, sumOf } from '../../board/sums.ts'
import type { Cell, Line } from '../../board/types.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Glyph, Status } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { List, type Look } from '../../parts/List.tsx'
import { said } from '../../parts/Said.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { Search } from '../../parts/Search.tsx'
import { href, query, setQuery } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import './deployments.css'

interface Row {
  line: Line
  /** What is where. A signal for each row, so that a cell that changes is counted, and drawn, in its row alone. */
  stands: ReadonlySignal<Stands>
}

interface Stands extends Sum {
  /** Its environments in the order in which versions pass them. */
  places: readonly { name: string; cell: Cell }[]
}

const known = new WeakMap<Line, Row>()

function rowOf(line: Line): Row {
  const row = known.get(line) ?? { line, stands: computed(() => standsOf(line)) }
  known.set(line, row)
  return row
}

function standsOf(line: Line): Stands {
  const places = columns.value.flatMap(({ id, name }) => {
    const cell = cells.get(`${line.id}/${id}`)?.value
    return cell?.targets ? [{ name, cell }] : []
  })
  return { places, ...sumOf(places.map((one) => one.cell)) }
}

const WIDE: Look<Row> = {
  columns: [
    { title: 'Deployment', width: 'minmax(0, 1fr)' },
    { title: 'System', width: 'minmax(0, 0.6fr)' },
    { title: 'Newest', width: 'minmax(0, 116px)' },
    { title: 'Runs in', width: 'minmax(0, 2.2fr)' },
    { title: 'Stands', width: '118px' },
  ],
  rowHeight: 38,
  cells: wideCells,
}
const SLIM: Look<Row> = {
  columns: [
    { title: 'Deployment', width: 'minmax(0, 1fr)' },
    { title: 'Runs in', width: 'minmax(0, 1.3fr)' },
  ],
  rowHeight: 54,
  cells: slimCells,
}

export default function DeploymentsPage() {
  useCrumbs([{ label: 'Deployments' }])
  const text = useComputed(() => query.value.get('q') ?? '')
  const all = useComputed(() => fitting(rows.value, text.value).map(rowOf))
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
          label="Deployments"
          {...WIDE}
          slim={SLIM}
          count={all.value.length}
          row={(index) => all.value[index]}
          rowKey={(one) => one.line.id}
          link={(one) => href('deployment', { deploymentId: one.line.id })}
          status={(one) => one.stands.value.status}
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
  const { status, places } = one.stands.value
  return [
    <b class="cut">{one.line.name}</b>,
    <span class="quiet cut">{systemsOf(one)}</span>,
    <span class="mono cut">{one.line.newest?.tag ?? <span class="faint">none yet</span>}</span>,
    <Places places={places} />,
    <Status status={status} />,
  ]
}

function slimCells(one: Row) {
  const { status, places } = one.stands.value
  return [
    <span class="two" data-st={status}>
      <b class="cut named-st">
        <Glyph status={status} />
        {one.line.name}
        <span class="sr">, {status}</span>
      </b>
      <span class="cut quiet small mono">{one.line.newest?.tag ?? 'no version yet'}</span>
    </span>,
    <Places places={places} />,
  ]
}

function systemsOf({ line }: Row): string {
  return line.systems.map((one) => one.name).join(', ')
}

function Places({ places }: Pick<Stands, 'places'>) {
  if (!places.length) return <span class="faint">no targets</span>
  return (
    <span class="places">
      {places.map(({ name, cell }) => {
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
