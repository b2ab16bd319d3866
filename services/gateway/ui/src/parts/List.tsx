/** A list of any length: only the rows in sight are drawn, one of them has the focus, j/k and arrows move it. */
import { useSignal, useSignalEffect } from '@preact/signals'
import type { ComponentChildren, VNode } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { go } from '../router/location.ts'
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

export interface ListProps<T> {
  label: string
  columns: readonly Column[]
  /** How many rows there are, those that have not come yet among them. */
  count: number
  /** A row by its place; undefined: it is on its way, and a stripe stands there. */
  row(index: number): T | undefined
  rowKey(row: T): string
  /** The cells of a row, one for each column. */
  cells(row: T): readonly ComponentChildren[]
  /** Where a row leads: Enter and clicks go there, as a link would. */
  link?(row: T): string
  /** Enter or a click, for rows that lead nowhere. */
  onOpen?(row: T): void
  /** More keys of a row: `y` approves. Answer true when the key was one. */
  onKey?(key: string, row: T): boolean
  /** Which rows are in sight, so that their pages can be asked for: see `usePages`. */
  onWindow?(from: number, to: number): void
  /** The status of a row, for its tint. */
  status?(row: T): string
  rowHeight?: number
}

/** A grid with headings. It fills what its container gives it: the container must have a height. */
export function List<T>(props: ListProps<T>) {
  const { label, columns, count, row, rowKey, link, onOpen, onKey, onWindow } = props
  const height = props.rowHeight ?? 34
  const box = useRef<HTMLDivElement>(null)
  const shown = useSignal<[number, number]>([0, Math.min(count, 30)])
  const active = useSignal(0)

  const look = () => {
    const list = box.current
    if (!list) return
    const next = windowOf(list.scrollTop, list.clientHeight, height, count)
    if (next[0] !== shown.peek()[0] || next[1] !== shown.peek()[1]) shown.value = next
  }
  useLayoutEffect(() => {
    look()
    const watch = new ResizeObserver(look)
    if (box.current) watch.observe(box.current)
    if (active.peek() >= count) active.value = Math.max(0, count - 1)
    return () => watch.disconnect()
  }, [count, height])
  useSignalEffect(() => onWindow?.(...shown.value))

  const focus = (index: number) => {
    const list = box.current
    if (!list) return
    const to = scrollTo(index, list.scrollTop, list.clientHeight, height)
    if (to !== null) list.scrollTop = to
    look()
    active.value = index
  }
  const keys = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey || (event.target as Element).closest('input, select, textarea')) return
    const to = moved(event.key, active.peek(), count, Math.floor((box.current?.clientHeight ?? 0) / height) - 1)
    const there = row(active.peek())
    if (to !== null && count) {
      focus(to)
      // A row that is still on its way can not have it: the list keeps it for that row.
      requestAnimationFrame(() => (box.current?.querySelector<HTMLElement>('[data-active]') ?? box.current)?.focus())
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
  const known = useRef<{ props: ListProps<T>; rows: Map<T, { index: number; isStop: boolean; drawn: VNode }> }>({ props, rows: new Map() })
  if (known.current.props !== props) known.current = { props, rows: new Map() }
  const before = known.current.rows
  const rows = new Map<T, { index: number; isStop: boolean; drawn: VNode }>()
  known.current.rows = rows
  const drawn = (one: T, index: number, isStop: boolean) => {
    const last = before.get(one)
    const next =
      last?.index === index && last.isStop === isStop
        ? last
        : { index, isStop, drawn: <Row key={rowKey(one)} list={props} row={one} index={index} height={height} isStop={isStop} onFocus={() => (active.value = index)} /> }
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
      <div class="rows" role="rowgroup" tabIndex={-1} ref={box} onScroll={look} onKeyDown={keys}>
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
  row: T
  index: number
  height: number
  isStop: boolean
  onFocus(): void
}

/** A row of its own, so that what it shows is followed by it alone. */
function Row<T>({ list: { cells, link, onOpen, status }, row, index, height, isStop, onFocus }: RowProps<T>) {
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

function placeOf(index: number, height: number) {
  return { 'aria-rowindex': index + 2, style: { '--y': String(index * height) } }
}
