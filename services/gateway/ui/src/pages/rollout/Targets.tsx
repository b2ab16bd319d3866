/** The targets of a rollout, each with where the version stands on it, why, and when it is its turn. */
import { useMemo } from 'preact/hooks'
import type { BoardTarget } from '../../api/schema'
import { STATUSES } from '../../board/types.ts'
import type { Targets as Found } from '../../board/useTargets.ts'
import { rowOf } from '../../frame/density.ts'
import { Countdown, Glyph, Time } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { List } from '../../parts/List.tsx'
import { Said, said } from '../../parts/Said.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { JobState } from '../../parts/State.tsx'
import { useTold } from '../../parts/useTold.ts'
import { href, query, setQuery } from '../../router/location.ts'
import { now } from '../../time/clock.ts'
import { Moves } from '../deployment/Lanes.tsx'
import { type Turn, byTurn, noteOf, verdictOf } from './words.ts'
import '../../parts/counter.css'

/** Up to so many the order of turns is known at once; of more the list comes by page, in the order of the server. */
export const ALL_AT_ONCE = 1_000
/** Of a row, where rows are comfortable. */
const HEIGHT = 38
const WIDE = [
  { title: '#', width: '34px' },
  { title: 'Target', width: 'minmax(120px, 1.3fr)' },
  { title: 'Stands', width: '132px' },
  { title: 'Runs', width: 'minmax(90px, 0.9fr)' },
  { title: 'Why', width: 'minmax(0, 2fr)' },
  { title: 'Job', width: '112px' },
  { title: 'When', width: '92px' },
]
const NARROW = [
  { title: 'Target', width: 'minmax(0, 1fr)' },
  { title: 'Stands', width: 'minmax(0, 116px)' },
  { title: 'When', width: '76px' },
]

interface Props {
  targets: Found
  turns: ReadonlyMap<string, Turn>
  status: string
  environment: string
}

export function Targets({ targets, turns, status, environment }: Props) {
  const order = query.value.get('order') === 'attention' ? 'attention' : 'turn'
  const whole = targets.there && targets.count <= ALL_AT_ONCE
  const rows: BoardTarget[] = []
  for (let index = 0; whole && index < targets.count; index += 1) {
    const one = targets.row(index)
    if (one) rows.push(one)
  }
  const sorted = whole && order === 'turn' && turns.size ? byTurn(rows, turns) : null
  const row = (index: number) => (sorted ? sorted[index] : targets.row(index))
  const count = sorted ? sorted.length : targets.count
  const rowHeight = rowOf(HEIGHT)
  const height = useMemo(() => Math.min(16, count) * rowHeight + 34, [count, rowHeight])
  const counts = targets.head?.statuses
  return (
    <section class="card rollout-targets" aria-label={`Targets in ${environment}`}>
      <header>
        <h2>Targets</h2>
        <div class="filters" role="group" aria-label="Filter by status">
          {STATUSES.filter((one) => counts?.[one] || one === status).map((one, index) => (
            <button
              key={one}
              type="button"
              class="counter"
              data-st={one}
              data-filter={index === 0 ? '' : undefined}
              aria-pressed={status === one}
              onClick={() => setQuery({ status: status === one ? null : one })}
            >
              <Glyph status={one} />
              <b class="num">{counts?.[one] ?? 0}</b>
              <span>{one}</span>
            </button>
          ))}
        </div>
        {whole && turns.size > 1 ? (
          <div class="n views" role="group" aria-label="Order">
            {(['turn', 'attention'] as const).map((one) => (
              <button key={one} type="button" class="btn small" aria-pressed={order === one} onClick={() => setQuery({ order: one === 'turn' ? null : one })}>
                {one === 'turn' ? 'By turn' : 'Worst first'}
              </button>
            ))}
          </div>
        ) : null}
      </header>
      {targets.error ? <ErrorCard error={targets.error} what={targets.there ? 'This is not the newest state:' : 'The targets:'} retry={targets.reload} /> : null}
      {!targets.there ? (
        targets.error ? null : (
          <div class="in">
            <Skeleton lines={8} />
          </div>
        )
      ) : !count ? (
        status ? (
          <Empty title={`No target is ${status}`}>
            <p>
              <Button onPress={() => setQuery({ status: null })}>Show every target</Button>
            </p>
          </Empty>
        ) : (
          <Empty title="No targets here">
            <p>
              A resource is a target where the selectors of the deployment and of {environment} both pick it. <a href={href('resources')}>Look at the resources</a>.
            </p>
          </Empty>
        )
      ) : (
        <div class="tall" style={{ '--tall': String(height) }}>
          <List
            label={`Targets in ${environment}`}
            seeks
            rowHeight={HEIGHT}
            columns={WIDE}
            cells={(one) => wideCells(one, turns.get(one.resourceId))}
            slim={{ columns: NARROW, rowHeight: HEIGHT, cells: (one) => slimCells(one, turns.get(one.resourceId)) }}
            count={count}
            row={row}
            onWindow={sorted ? undefined : targets.onWindow}
            rowKey={(one) => one.key}
            link={(one) => href('target', { releaseTargetKey: one.key })}
            status={(one) => verdictOf(one).status}
          />
        </div>
      )}
    </section>
  )
}

function nameOf(target: BoardTarget): string {
  return target.name || target.identifier
}

function Stands({ target }: { target: BoardTarget }) {
  const { status, word } = verdictOf(target)
  return (
    <span class="status" data-st={status}>
      <Glyph status={status} />
      <span class="cut">{word}</span>
    </span>
  )
}

function slimCells(target: BoardTarget, turn: Turn | undefined) {
  return [<span key="n" title={said(noteOf(target, turn))}>{nameOf(target)}</span>, <Stands key="s" target={target} />, <When key="w" target={target} turn={turn} />]
}

function wideCells(target: BoardTarget, turn: Turn | undefined) {
  const name = nameOf(target)
  const note = noteOf(target, turn)
  return [
    <span key="#" class="num faint">
      {turn?.number ?? ''}
      <span class="sr"> {name}</span>
    </span>,
    <span key="n" class="cut" title={target.identifier}>
      {name}
    </span>,
    <Stands key="s" target={target} />,
    <Moves key="m" target={target} />,
    <span key="y" class="quiet small" title={said(note)}>
      <Said>{note}</Said>
    </span>,
    target.job ? (
      <a key="j" class="jobcell" href={href('job', { jobId: target.job.id })} tabIndex={-1}>
        <JobState state={target.job.status} />
      </a>
    ) : (
      <span key="j" class="faint">
        –
      </span>
    ),
    <When key="w" target={target} turn={turn} />,
  ]
}

/** What is left until its turn; else since when it stands so. */
function When({ target, turn }: { target: BoardTarget; turn: Turn | undefined }) {
  const waits = target.verdict === 'waiting' || target.verdict === 'blocked'
  const until = target.until ?? (waits ? turn?.at : '')
  const coming = useTold(() => Boolean(until) && Date.parse(until ?? '') > now.value - 1_000, [until])
  if (until && coming.value) return <Countdown until={until} label="Its turn: " small />
  return (
    <span class="quiet small">
      <Time at={target.since} ago />
    </span>
  )
}
