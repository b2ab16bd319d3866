/** A list of any length: only the rows in sight are drawn, one of them has the focus, j/k and arrows move it. */
import { useSignal, useSignalEffect } from '@preact/signals'
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { ROW, rowOf } from '../frame/density.ts'
import { useKeys } from '../frame/keys.ts'
import { go } from '../router/location.ts'
import { nextOf } from './attention.ts'
import { narrow } from './narrow.ts'
import { toast } from './say.tsx'
import { moved, scrollTo, windowOf } from './window.ts'

export interface Column {
  /** What the heading says; '' for a column without one. */
  title: string
  /** A width for `grid-template-columns`: `120px`, `2fr`, `minmax(0, 1fr)`. */
  width: string
  /** In which order its rows are now, for a column that rows can be put in order by: a press on its heading calls `onSort`. */
  sort?: 'ascending' | 'descending' | 'none'
  onSort?(): void
}

/** How a list looks: its columns, the height of its rows, and the cells of a row, one for each column. */
export interface Look<T> {
  columns: readonly Column[]
  /** Where rows are comfortable, in px; compact ones are lower. */
  rowHeight?: number
  cells(row: T): readonly ComponentChildren[]
}

export interface ListProps<T> extends Look<T> {
  label: string
  /** How it looks on a page as narrow as a phone's: less in taller rows. */
  slim?: Look<T>
  /** How many rows there are, those that have not come yet among them. */
  count: number
  /** A row by its place; undefined: it is on its way, and a stripe stands there. */
  row(index: number): T | undefined
  rowKey(row: T): string
  /** Where a row leads: Enter and clicks go there, as a link would. */
  link?(row: T): string
  /** Enter or a click, for rows that lead nowhere. */
  onOpen?(row: T): void
  /** More keys of a row: `y` approves. Answer true when the key was one. */
  onKey?(key: string, row: T): boolean
  /** Which rows are in sight, so that their pages can be asked for: see `usePages`. Left out where all of them are there. */
  onWindow?: ((from: number, to: number) => void) | undefined
  /** The status of a row, for its tint. */
  status?(row: T): string
  /** Whether `.` goes to the next row that failed or is blocked, by `status`. */
  seeks?: boolean
}

/** A grid with headings. It fills what its container gives it: the container must have a height. */
export function List<T>(props: ListProps<T>) {
  const { label, count, row, rowKey, link, onOpen, onKey, onWindow } = props
  const look = props.slim && narrow.value ? props.slim : props
  const { columns } = look
  const height = rowOf(look.rowHeight ?? ROW)
  const box = useRef<HTMLDivElement>(null)
  const shown = useSignal<[number, number]>([0, Math.min(count, 30)])
  const active = useSignal(0)
  /** How far it was scrolled when rows were so high. */
  const scrolled = useRef([0, height] as [top: number, height: number])

  const measure = () => {
    const list = box.current
    if (!list) return
    scrolled.current = [list.scrollTop, height]
    const next = windowOf(list.scrollTop, list.clientHeight, height, count)
    if (next[0] !== shown.peek()[0] || next[1] !== shown.peek()[1]) shown.value = next
  }
  useLayoutEffect(() => {
    const [top, before] = scrolled.current
    // The same rows stay in sight when they become higher or lower.
    if (before !== height && box.current) box.current.scrollTop = (top * height) / before
    measure()
    const watch = new ResizeObserver(measure)
    if (box.current) watch.observe(box.current)
    if (active.peek() >= count) active.value = Math.max(0, count - 1)
    return () => watch.disconnect()
  }, [count, height])
  useSignalEffect(() => onWindow?.(...shown.value))
  // Pages may be wanted from now on, of what one has scrolled to already.
  useEffect(() => onWindow?.(...shown.peek()), [Boolean(onWindow)])

  const focus = (index: number) => {
    const list = box.current
    if (!list) return
    const to = scrollTo(index, list.scrollTop, list.clientHeight, height)
    if (to !== null) list.scrollTop = to
    measure()
    active.value = index
  }
  /** A row that is still on its way can not have it: the list keeps it for that row. */
  const arrive = () => requestAnimationFrame(() => (box.current?.querySelector<HTMLElement>('[data-active]') ?? box.current)?.focus())
  const seek = () => {
    const there = box.current?.contains(document.activeElement) ? active.peek() : -1
    const to = nextOf(Array.from({ length: count }, (_, index) => statusOf(row(index), props)), there)
    if (to === null) return toast('healthy', 'Nothing in this list has failed or is blocked.')
    focus(to)
    arrive()
  }
  useKeys(props.seeks ? [{ key: '.', does: 'next row that failed, then that is blocked', run: seek }] : [])
  const keys = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey || (event.target as Element).closest('input, select, textarea')) return
    const to = moved(event.key, active.peek(), count, Math.floor((box.current?.clientHeight ?? 0) / height) - 1)
    const there = row(active.peek())
    if (to !== null && count) {
      focus(to)
      arrive()
    } else if (there && event.key === 'Enter' && !(event.target as Element).closest('button, a:not(.whole)')) {
      if (link) go(link(there))
      else onOpen?.(there)
    } else if (!there || !onKey?.(event.key, there)) return
    event.preventDefault()
    event.stopPropagation()
  }
  useLayoutEffect(() => {
    if (box.current && document.activeElement === box.current) box.current.querySelector<HTMLElement>('[data-active]')?.focus({ preventScroll: true })
  })
  // A row that is still in sight, and whose list is the same, is handed out again: then nothing of it is looked at while one scrolls.
  const known = useRef<{ props: ListProps<T>; look: Look<T>; height: number; rows: Map<T, { index: number; isStop: boolean; drawn: VNode }> }>({ props, look, height, rows: new Map() })
  if (known.current.props !== props || known.current.look !== look || known.current.height !== height) known.current = { props, look, height, rows: new Map() }
  const before = known.current.rows
  const rows = new Map<T, { index: number; isStop: boolean; drawn: VNode }>()
  known.current.rows = rows
  const drawn = (one: T, index: number, isStop: boolean) => {
    const last = before.get(one)
    const next =
      last?.index === index && last.isStop === isStop
        ? last
        : { index, isStop, drawn: <Row key={rowKey(one)} list={props} cells={look.cells} row={one} index={index} height={height} isStop={isStop} onFocus={() => (active.value = index)} /> }
    rows.set(one, next)
    return next.drawn
  }
  const [from, to] = shown.value
  // Wherever one has scrolled to, a row in sight is reached by Tab.
  const stop = Math.max(from, Math.min(active.value, to - 1))
  const grid = columns.map((column) => column.width).join(' ')
  return (
    <div class="listing" role="grid" aria-label={label} aria-rowcount={count + 1} style={{ '--cols': grid, '--h': String(height) }}>
      <div class="grid-head" role="row" aria-rowindex={1}>
        {columns.map(({ title, sort, onSort }, index) => (
          <span key={index} role="columnheader" aria-sort={sort}>
            {onSort ? (
              <button type="button" class="sorts" onClick={onSort}>
                {title}
              </button>
            ) : (
              title || <span class="sr">Actions</span>
            )}
          </span>
        ))}
      </div>
      <div class="rows" role="rowgroup" tabIndex={-1} ref={box} onScroll={measure} onKeyDown={keys}>
        <div class="inner" role="presentation" style={{ '--total': String(count * height) }}>
          {Array.from({ length: Math.max(0, Math.min(to, count) - from) }, (_, offset) => {
            const index = from + offset
            const one = row(index)
            if (one === undefined) return <div key={`ghost ${index}`} class="row ghost" role="row" aria-busy="true" {...placeOf(index, height)}>{columns.map((_c, n) => <span key={n} role="gridcell" />)}</div>
            return drawn(one, index, index === stop)
          })}
        </div>
      </div>
    </div>
  )
}

interface RowProps<T> {
  list: ListProps<T>
  cells: Look<T>['cells']
  row: T
  index: number
  height: number
  isStop: boolean
  onFocus(): void
}

/** A row of its own, so that what it shows is followed by it alone. */
function Row<T>({ list: { link, onOpen, status }, cells, row, index, height, isStop, onFocus }: RowProps<T>) {
  return (
    <div
      class="row"
      role="row"
      {...placeOf(index, height)}
      tabIndex={isStop ? 0 : -1}
      data-active={isStop ? '' : undefined}
      data-st={status?.(row)}
      onFocus={onFocus}
      {...(onOpen && !link ? { onClick: () => onOpen(row) } : {})}
    >
      {cells(row).map((cell, n) => (
        <span key={n} role="gridcell">
          {n === 0 && link ? (
            <a class="whole" href={link(row)} tabIndex={-1}>
              {cell}
            </a>
          ) : (
            cell
          )}
        </span>
      ))}
    </div>
  )
}

function statusOf<T>(row: T | undefined, { status }: ListProps<T>): string | undefined {
  return row === undefined ? undefined : status?.(row)
}

function placeOf(index: number, height: number) {
  return { 'aria-rowindex': index + 2, style: { '--y': String(index * height) } }
}
