/** The measurements of a metric over time, with the limit drawn. The table beside it says the same in text. */
import { useLayoutEffect, useRef } from 'preact/hooks'
import 'uplot/dist/uPlot.min.css'
import type { Series } from './words.ts'
import { figure } from './words.ts'

const HEIGHT = 120

export function Chart({ series, label }: { series: Series; label: string }) {
  const box = useRef<HTMLDivElement>(null)
  const { points, limit } = series
  const key = `${points.length} ${points.at(-1)?.at} ${limit?.value}`
  useLayoutEffect(() => {
    const place = box.current
    if (!place) return
    let gone = false
    let leave = () => {}
    void import('uplot').then(({ default: UPlot }) => {
      if (gone) return
      // A canvas knows no custom properties: the colours are those that these marks come to, in whatever theme.
      const colour = (name: string) => () => getComputedStyle(place.querySelector(`.${name}`) ?? place).color
      const xs = points.map((one) => one.at)
      const ys = points.map((one) => one.value)
      const limits = points.map(() => limit?.value ?? null)
      const axis = { stroke: colour('none'), grid: { stroke: colour('grid'), width: 1 }, ticks: { show: false }, font: '11px sans-serif' }
      const drawn = new UPlot(
        {
          width: place.clientWidth,
          height: HEIGHT,
          padding: [8, 34, 0, 0],
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: true }, y: { range: (_: unknown, low: number | null, high: number | null) => spread(low, high, limit?.value) } },
          axes: [
            { ...axis, size: 22, space: 90, values: (_: unknown, all: number[]) => all.map((one) => clock(one)) },
            { ...axis, size: 54, values: (_: unknown, all: number[]) => all.map((one) => figure(one)) },
          ],
          series: [
            {},
            { stroke: colour('drawn'), width: 2, points: { show: true, size: 6, stroke: colour('drawn'), fill: colour('drawn') } },
            { stroke: colour('limit'), width: 1.5, dash: [5, 4], points: { show: false } },
          ],
        },
        [xs, ys, limits],
        place,
      )
      const sized = new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height: HEIGHT }))
      sized.observe(place)
      const themed = new MutationObserver(() => drawn.redraw())
      themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
      const scheme = matchMedia('(prefers-color-scheme: dark)')
      const redraw = () => drawn.redraw()
      scheme.addEventListener('change', redraw)
      leave = () => {
        sized.disconnect()
        themed.disconnect()
        scheme.removeEventListener('change', redraw)
        drawn.destroy()
      }
    })
    return () => {
      gone = true
      leave()
    }
  }, [key])
  return (
    <div ref={box} class="chart" role="img" aria-label={label}>
      <i class="grid" hidden />
      <i class="drawn" hidden />
      <i class="limit" hidden />
    </div>
  )
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB')
}

/** Both the values and the limit are in sight, with a little air. */
function spread(low: number | null, high: number | null, limit: number | undefined): [number, number] {
  const all = [low, high, limit].filter((one): one is number => typeof one === 'number')
  const from = Math.min(...all)
  const to = Math.max(...all)
  const air = (to - from || Math.abs(to) || 1) * 0.12
  return [from >= 0 && from - air < 0 ? 0 : from - air, to + air]
}
