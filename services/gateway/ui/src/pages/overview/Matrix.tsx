/** The matrix: deployments × environments, as many rows as are in sight, one tab stop, arrows inside. */
import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { Filter } from '../../board/filter.ts'
import type { Line } from '../../board/types.ts'
import { ROW, rowOf } from '../../frame/density.ts'
import { Lazy } from '../../frame/Lazy.tsx'
import { oncePainted } from '../../frame/painted.ts'
import { scrollTo, windowOf } from '../../parts/window.ts'
import { href } from '../../router/location.ts'
import { CellLink } from './CellLink.tsx'
import { fold } from './folds.ts'
import { Heading } from './Heading.tsx'
import { type Item, factsOf, neighbour } from './layout.ts'
import type { Peeked } from './Peek.tsx'
import { sought } from './sought.ts'

/** The measure of the heading in overview.css. */
const HEAD = 36
/** So many rows are in the first paint: each more is a part of what one waits for, and the others follow in the next frame. */
const FIRST = 8
const HOVER_MS = 450
/** Nobody looks into a cell before there is one. */
const peekCard = () => import('./Peek.tsx')

export function Matrix({ items, columns, filter }: { items: readonly Item[]; columns: readonly Line[]; filter: Filter }) {
  const box = useRef<HTMLDivElement>(null)
  const shown = useSignal<[number, number]>([0, Math.min(items.length, FIRST)])
  const height = rowOf(ROW)
  const active = useSignal<[row: number, column: number]>([firstOf(items), 0])
  const peeked = useSignal<Peeked | null>(null)
  const hover = useRef(0)
  /** How far it was scrolled when rows were so high. */
  const scrolled = useRef([0, height] as [top: number, height: number])

  const look = () => {
    const grid = box.current
    if (!grid) return
    const next = windowOf(grid.scrollTop, grid.clientHeight - HEAD, height, items.length)
    scrolled.current = [grid.scrollTop, height]
    if (next[0] !== shown.peek()[0] || next[1] !== shown.peek()[1]) shown.value = next
  }
  useLayoutEffect(() => {
    const [top, before] = scrolled.current
    // The same rows stay in sight when they become higher or lower.
    if (before !== height && box.current) box.current.scrollTop = (top * height) / before
    const watch = new ResizeObserver(look)
    // Not before the first paint: to ask for the height would lay out the page twice before it is seen.
    const forget = oncePainted(() => {
      look()
      if (box.current) watch.observe(box.current)
    })
    // The filter may have taken away the row that had the tab stop.
    if (!items[active.peek()[0]]) active.value = [firstOf(items), 0]
    return () => {
      forget()
      watch.disconnect()
    }
  }, [items, height])
  useEffect(() => () => clearTimeout(hover.current), [])

  const found = (target: EventTarget | null): [row: number, column: number] | null => {
    const key = (target as Element | null)?.closest?.('[data-cell]')?.getAttribute('data-cell')
    if (!key) return null
    const [deploymentId, environmentId] = key.split('/')
    const row = items.findIndex((item) => item.key === deploymentId)
    // The heading of a group is in no column: the one that one came from is kept.
    const column = environmentId ? columns.findIndex((one) => one.id === environmentId) : active.peek()[1]
    return row < 0 || column < 0 ? null : [row, column]
  }
  const elementAt = ([row, column]: [number, number]) =>
    box.current?.querySelector<HTMLElement>(`[data-cell="${items[row]?.key}${items[row]?.kind === 'row' ? `/${columns[column]?.id}` : ''}"]`)
  const peek = (at: [number, number] | null) => {
    const item = at && items[at[0]]
    const column = at && columns[at[1]]
    const near = at && elementAt(at)
    const isThere = item?.kind === 'row' && column && near && !near.classList.contains('none')
    peeked.value = isThere ? { key: `${item.key}/${column.id}`, line: item.line, column, near: near.getBoundingClientRect() } : null
  }
  const move = (to: [number, number]) => {
    active.value = to
    const grid = box.current
    const top = grid ? scrollTo(to[0], grid.scrollTop, grid.clientHeight - HEAD, height) : null
    if (grid && top !== null) grid.scrollTop = top
    look()
    const arrive = () => {
      elementAt(to)?.focus({ preventScroll: top !== null })
      if (peeked.peek()) peek(to)
    }
    // At once where the cell is there, so that the next key finds it focused; a row that comes into sight is painted first.
    if (top === null && elementAt(to)) arrive()
    else requestAnimationFrame(arrive)
  }
  const wanted = sought.value
  useLayoutEffect(() => {
    const [row, column] = wanted.split('/')
    const to: [number, number] = [items.findIndex((item) => item.key === row), columns.findIndex((one) => one.id === column)]
    if (to[0] < 0 || to[1] < 0) return
    sought.value = ''
    move(to)
  }, [wanted, items])
  const keys = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return
    const here = found(event.target)
    if (!here) return
    if (event.key === 'z') {
      const heading = items.findLastIndex((one, index) => one.kind === 'group' && index <= here[0])
      if (heading < 0) return
      move([heading, here[1]])
      fold(items[heading]?.key ?? '')
    } else if (event.key === ' ') {
      // It presses the heading of a group.
      if (items[here[0]]?.kind === 'group') return
      peek(peeked.peek() ? null : here)
    } else if (event.key === 'Escape' && peeked.peek()) {
      peek(null)
    } else {
      const to = neighbour(event.key, items.length, here[0], here[1], columns.length)
      if (!to) return
      move(to)
    }
    event.preventDefault()
    event.stopPropagation()
  }

  const [from, to] = shown.value
  return (
    <>
      <div
        ref={box}
        class="mx"
        role="grid"
        aria-label="Release matrix"
        aria-rowcount={items.length + 1}
        aria-colcount={columns.length + 1}
        style={{ '--n': String(columns.length) }}
        onScroll={() => {
          look()
          peeked.value = null
        }}
        onKeyDown={keys}
        onFocusIn={(event) => {
          const at = found(event.target)
          if (at) active.value = at
        }}
        onPointerOver={(event) => {
          clearTimeout(hover.current)
          if (event.pointerType !== 'mouse') return
          const at = found(event.target)
          if (at) hover.current = window.setTimeout(() => peek(at), HOVER_MS)
          else peek(null)
        }}
        onPointerLeave={() => {
          clearTimeout(hover.current)
          peek(null)
        }}
      >
        <div class="mx-head" role="row" aria-rowindex={1}>
          <span role="columnheader">Deployment</span>
          {columns.map((column) => (
            <span key={column.id} role="columnheader" class="cut" title={column.name}>
              {column.name}
            </span>
          ))}
        </div>
        <div class="mx-body" role="rowgroup" style={{ '--count': String(items.length) }}>
          {items.slice(from, to).map((item, offset) => {
            const index = from + offset
            const place = { 'aria-rowindex': index + 2, style: { '--at': String(index) } }
            return item.kind === 'group' ? (
              <div key={item.key} class="mx-group" role="row" {...place}>
                <span role="rowheader">
                  <Heading group={item} columns={columns} filter={filter} tabIndex={active.value[0] === index ? 0 : -1} />
                </span>
              </div>
            ) : (
              <div key={item.key} class="mx-row" role="row" {...place}>
                <span role="rowheader">
                  <a class="cut" href={href('deployment', { deploymentId: item.line.id })} title={item.line.name}>
                    {item.line.name}
                  </a>
                </span>
                {columns.map((column, n) => (
                  <span key={column.id} role="gridcell">
                    <CellLink
                      line={item.line}
                      column={column}
                      active={active.value[0] === index && active.value[1] === n}
                      {...(filter.looksAtCells ? { dim: (cell) => !filter.cell(factsOf(cell, item.line, column)) } : {})}
                    />
                  </span>
                ))}
              </div>
            )
          })}
        </div>
      </div>
      {peeked.value ? <Lazy load={peekCard} props={{ peeked: peeked.value }} failed={() => (peeked.value = null)} /> : null}
    </>
  )
}

/** Where the tab stop is at first: in the first row, or at a heading where all are folded. */
function firstOf(items: readonly Item[]): number {
  return Math.max(0, items.findIndex((item) => item.kind === 'row'))
}
