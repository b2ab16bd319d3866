/** The environments in the order in which versions pass them: what is in each, which resources it picks, and its deployments. */
import { type ReadonlySignal, computed, useComputed } from '@preact/signals'
import { rollEverythingBack } from '../../acts/rollout.tsx'
import { workspaceId } from '../../api/client.ts'
import type { Environment } from '../../api/schema'
import { type Queried, useQuery } from '../../api/useQuery.ts'
import { boardError, boardThere, cells, columns, reloadBoard, rows } from '../../board/board.ts'
import { type Sum, fitting, sumOf } from '../../board/sums.ts'
import type { Cell, Line } from '../../board/types.ts'
import { useCommands } from '../../frame/commands.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { ROW, rowOf as highOf } from '../../frame/density.ts'
import { useKeys } from '../../frame/keys.ts'
import { Bar, Countdown, Glyph, Icon, Status } from '../../parts/base.tsx'
import { Action, Button, PAST } from '../../parts/Button.tsx'
import { List } from '../../parts/List.tsx'
import { said } from '../../parts/Said.tsx'
import { Empty, ErrorCard, Skeleton, toast } from '../../parts/say.tsx'
import { Search } from '../../parts/Search.tsx'
import { useTold } from '../../parts/useTold.ts'
import { href, query, setQuery } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import { resourcesOf } from './words.ts'
import './environments.css'

interface Row {
  line: Line
  /** What is in it. A signal for each row, so that a cell that changes is counted, and drawn, in its row alone. */
  sum: ReadonlySignal<Sum>
}

const known = new WeakMap<Line, Row>()

function rowOf(line: Line): Row {
  const row = known.get(line) ?? { line, sum: computed(() => sumOf(cellsIn(line).map((one) => one.cell))) }
  known.set(line, row)
  return row
}

/** What of each deployment is in an environment. */
function cellsIn(line: Line): { deployment: Line; cell: Cell }[] {
  return rows.value.flatMap((deployment) => {
    const cell = cells.get(`${deployment.id}/${line.id}`)?.value
    return cell?.targets ? [{ deployment, cell }] : []
  })
}

export default function EnvironmentsPage() {
  useCrumbs([{ label: 'Environments' }])
  const found = useQuery('/api/v1/workspaces/{workspaceId}/environments', { query: { limit: 1000 }, topics: ['matrix'], patience: 2_000, when: boardThere.value })
  const text = useComputed(() => query.value.get('q') ?? '')
  const all = useComputed(() => fitting(columns.value, text.value).map(rowOf))
  const chosen = useComputed(() => all.value.find((one) => one.line.id === query.value.get('env')) ?? all.value[0])
  const choose = (id: string) => setQuery({ env: id })
  const back = () => {
    const one = chosen.peek()
    const off = past.peek() ? PAST : one ? offBack(one) : 'There is no environment.'
    if (off || !one) toast('pending', off)
    else void rollEverythingBack(one.line)
  }
  useKeys([
    { key: 'j', does: 'next environment; k the one before' },
    { key: 'Enter', does: 'show what is in it' },
    { key: 'b', does: 'roll the environment that is shown back', run: back },
  ])
  useCommands(chosen.value ? [{ label: `Roll back all of ${chosen.value.line.name}`, run: back }] : [])

  if (!boardThere.value) {
    return <div class="sheet">{boardError.value ? <ErrorCard error={boardError.value} what="The environments:" retry={reloadBoard} /> : <Skeleton lines={12} />}</div>
  }
  if (!columns.value.length) return past.value ? <None /> : <First />
  return (
    <div class="sheet environments">
      <div class="head">
        <h1>Environments</h1>
        <span class="quiet num">{columns.value.length}</span>
        <Search label="Filter environments" placeholder="Filter by name or system" value={text.value} onText={(next) => setQuery({ q: next || null })} />
        <p>In the order in which versions pass them, as the policies say.</p>
      </div>
      {boardError.value ? <ErrorCard error={boardError.value} what="This is not the newest state:" retry={reloadBoard} /> : null}
      {!all.value.length ? (
        <Empty title="No environment fits this filter">
          <p>
            Nothing is called <code>{text}</code>.
          </p>
          <p>
            <Button onPress={() => setQuery({ q: null })}>Show every environment</Button>
          </p>
        </Empty>
      ) : (
        <div class="halves">
          <div class="card tall" style={{ '--tall': String(Math.min(14, all.value.length) * highOf(44) + 34) }}>
            <List<Row>
              label="Environments"
              rowHeight={44}
              columns={WIDE}
              cells={(one) => [<Place key="#" of={one} />, ...slimCells(one, one.line.id === chosen.value?.line.id)]}
              slim={{ columns: NARROW, rowHeight: 44, cells: (one) => slimCells(one, one.line.id === chosen.value?.line.id) }}
              count={all.value.length}
              row={(index) => all.value[index]}
              rowKey={(one) => one.line.id}
              onOpen={(one) => choose(one.line.id)}
              status={(one) => one.sum.value.status}
            />
          </div>
          {chosen.value ? <Detail key={chosen.value.line.id} row={chosen.value} found={found} onBack={back} /> : null}
        </div>
      )}
    </div>
  )
}

function offBack(row: Row): string {
  return row.sum.value.targets ? '' : `${row.line.name} has no targets.`
}

const WIDE = [
  { title: '#', width: '26px' },
  { title: 'Environment', width: 'minmax(0, 1.2fr)' },
  { title: 'Healthy', width: 'minmax(96px, 1fr)' },
  { title: 'Not healthy', width: 'minmax(0, 1.2fr)' },
]
const NARROW = [
  { title: 'Environment', width: 'minmax(0, 1fr)' },
  { title: 'Healthy', width: '84px' },
  { title: 'Trouble', width: 'minmax(0, 92px)' },
]

/** Where it is in the order in which versions pass them, whatever the filter leaves. */
function Place({ of }: { of: Row }) {
  return <span class="num faint">{columns.value.indexOf(of.line) + 1}</span>
}

function slimCells({ line, sum: { value: sum } }: Row, mine: boolean) {
  return [
    <span key="n" class="ename" data-st={sum.status}>
      <Glyph status={sum.status} />
      <b class="cut" aria-current={mine ? 'true' : undefined}>
        {line.name}
      </b>
      <span class="sr">, {sum.status}</span>
    </span>,
    <span key="h" class="healthy">
      <span class="num">
        {sum.done} of {sum.targets}
      </span>
      <Bar done={sum.done} all={sum.targets} status="healthy" />
    </span>,
    <span key="x" class="nots">
      <Count status="failed" n={sum.failed} word="failed" />
      <Count status="progressing" n={sum.active} word="on the way" />
      <Count status="pending" n={sum.held} word="held" />
    </span>,
  ]
}

function Count({ status, n, word }: { status: 'failed' | 'progressing' | 'pending'; n: number; word: string }) {
  if (!n) return null
  return (
    <span class="status" data-st={status} title={`${n} ${word}`}>
      <Glyph status={status} />
      <span class="num">{n}</span>
      <span class="word">{word}</span>
    </span>
  )
}

function Detail({ row, found, onBack }: { row: Row; found: Queried<{ items: Environment[] }>; onBack(): void }) {
  const { line } = row
  const environment = found.data.value?.items.find((one) => one.id === line.id)
  const deployments = useTold(() => cellsIn(line), [line])
  const selector = environment?.resourceSelector ?? ''
  return (
    <section class="card env-detail" aria-label={line.name}>
      <header>
        <h2>{line.name}</h2>
        <Status status={row.sum.value.status} pill />
        <div class="n">
          <Action kind="danger" small off={offBack(row)} onPress={onBack}>
            <Icon name="back" />
            Roll back everything…
          </Action>
        </div>
      </header>
      <div class="in">
        {found.error.value ? <ErrorCard error={found.error.value} what="Its selector:" retry={found.reload} /> : null}
        <dl class="facts">
          <dt>Picks</dt>
          <dd>
            {environment ? (
              selector ? (
                <>
                  <code>{selector}</code>{' '}
                  <a class="link small" href={href('resources', {}, { q: resourcesOf(selector) })}>
                    the resources
                  </a>
                </>
              ) : (
                'no resource: it has no selector'
              )
            ) : (
              <span class="faint">…</span>
            )}
          </dd>
          {environment?.description ? (
            <>
              <dt>Is for</dt>
              <dd>{environment.description}</dd>
            </>
          ) : null}
          <dt>Systems</dt>
          <dd>{line.systems.map((one) => one.name).join(', ') || 'none: it has no targets until a system has it'}</dd>
          {environment && Object.keys(environment.metadata).length ? (
            <>
              <dt>Metadata</dt>
              <dd class="tags">
                {Object.entries(environment.metadata).map(([key, value]) => (
                  <span key={key} class="tag">
                    {key}={value}
                  </span>
                ))}
              </dd>
            </>
          ) : null}
        </dl>
      </div>
      <h3 class="under">Deployments</h3>
      {deployments.value.length ? (
        <div class="tall" style={{ '--tall': String(Math.min(12, deployments.value.length) * highOf(ROW) + 34) }}>
          <List
            label={`Deployments in ${line.name}`}
            columns={[
              { title: 'Deployment', width: 'minmax(0, 1fr)' },
              { title: 'Runs', width: 'minmax(0, 0.8fr)' },
              { title: 'Stands', width: 'minmax(0, 1.4fr)' },
            ]}
            count={deployments.value.length}
            row={(index) => deployments.value[index]}
            rowKey={(one) => one.deployment.id}
            link={(one) => href('rollout', { deploymentId: one.deployment.id, environmentId: line.id })}
            status={(one) => one.cell.status}
            cells={({ deployment, cell }) => [
              <span key="n">{deployment.name}</span>,
              <span key="r" class="mono small" title={cell.running.map((one) => `${one.tag} on ${one.targets}`).join(', ')}>
                {cell.running.map((one) => one.tag).join(', ') || '–'}
              </span>,
              <span key="s" class="status" data-st={cell.status} title={said(cell.message)}>
                <Glyph status={cell.status} />
                <span class="cut">{said(cell.reason) || cell.status}</span>
                {cell.until ? <Countdown until={cell.until} small /> : null}
              </span>,
            ]}
          />
        </div>
      ) : (
        <p class="in quiet">No deployment has targets here: a resource must be picked by a deployment of the same system as well.</p>
      )}
    </section>
  )
}

function None() {
  return (
    <Empty page title="There was no environment then">
      <p>Go forward in time, or back to live.</p>
    </Empty>
  )
}

function First() {
  const body = `{"name":"production","resourceSelector":"resource.metadata[\\"env\\"] == \\"production\\""}`
  return (
    <Empty
      page
      title="No environments yet"
      command={`curl -H "X-API-Key: $SIGNALBOX_API_KEY" -H "Content-Type: application/json" \\\n  -d '${body}' \\\n  ${location.origin}/api/v1/workspaces/${workspaceId.value}/environments`}
    >
      <p>
        Environments appear here in the order in which versions pass them, with what runs in each. An environment picks resources by a selector; this command makes one.{' '}
        <a href={href('start')}>The first-run guide</a> goes through all of it.
      </p>
    </Empty>
  )
}
